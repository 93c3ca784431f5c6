"""Update rules beside a few lines of NumPy each, over several steps."""

import numpy as np
import pytest

from spectral_capacity.backend import jax, jnp
from spectral_capacity.optimizers.transformations import transformation

SHAPES = {
    "embedding": (6, 4),
    "positions": (5, 4),
    "query_1": (4, 4),
    "widen_2": (12, 4),
    "narrow_2": (4, 12),
    "output_2": (4, 4),
}
RATE, STEPS = 0.02, 5


def gradients():
    """A tree for each step; of many sizes, so that a mean of squares is none of sizes."""
    rng = np.random.default_rng(1)
    return [
        {name: 10.0 ** rng.integers(-2, 2) * rng.standard_normal(s) for name, s in SHAPES.items()}
        for _ in range(STEPS)
    ]


def start():
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape) for name, shape in SHAPES.items()}


def after(optimizer, rate=RATE):
    """Parameters after the steps."""
    parameters = jax.tree.map(jnp.asarray, start())
    rule = transformation(optimizer, rate, TABLES)
    state, update = rule.init(parameters), jax.jit(rule.update)
    for gradient in gradients():
        step, state = update(jax.tree.map(jnp.asarray, gradient), state, parameters)
        parameters = jax.tree.map(jnp.add, parameters, step)
    return {name: np.asarray(value) for name, value in parameters.items()}


def sgd(w, gradients, momentum=0.95, nesterov=False, weight_decay=1e-4, coupled=False):
    buffer = 0
    for g in gradients:
        w_before = w
        if coupled:
            g = g + weight_decay * w_before
        buffer = momentum * buffer + g
        step = g + momentum * buffer if nesterov else buffer
        w = w - RATE * step - (0 if coupled else RATE * weight_decay * w_before)
    return w


def adamw(w, gradients, b1=0.9, b2=0.95, eps=1e-8, weight_decay=1e-4):
    m = v = 0
    for t, g in enumerate(gradients, 1):
        w = w * (1 - RATE * weight_decay)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        w = w - RATE * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + eps)
    return w


def newton_schulz(X, iterations):
    X = X / np.linalg.norm(X)
    for _ in range(iterations):
        A = X @ X.T
        X = 3.4445 * X + (-4.7750 * A + 2.0315 * A @ A) @ X
    return X


def muon(w, gradients, momentum=0.95, nesterov=True, iterations=5, weight_decay=1e-4):
    """optax's: means of gradients, corrected for their beginning at zero; Nesterov's by one step more."""
    m, (n_out, n_in) = 0, w.shape
    for t, g in enumerate(gradients, 1):
        m = momentum * m + (1 - momentum) * g
        ahead = m / (1 - momentum**t)
        if nesterov:
            ahead = momentum * m / (1 - momentum ** (t + 1))
            ahead = ahead + (1 - momentum) * g / (1 - momentum**t)
        step = max(1, n_out / n_in) ** 0.5 * newton_schulz(ahead, iterations)
        w = w - RATE * (step + weight_decay * w)
    return w


TABLES = {"embedding", "positions"}


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("sgd", {}),
        ("sgd", {"momentum": 0.0, "weight_decay": 0.3}),
        ("sgd", {"momentum": 0.9, "weight_decay": 0.3, "coupled": True}),
        ("sgd", {"nesterov": True, "weight_decay": 0.3}),
        ("adamw", {}),
        ("adamw", {"b1": 0.8, "b2": 0.99, "eps": 0.1, "weight_decay": 0.3}),
        ("muon", {}),
        ("muon", {"nesterov": False, "momentum": 0.8, "iterations": 2, "weight_decay": 0.3}),
        ("muon", {"b1": 0.5, "b2": 0.9, "eps": 0.01}),
    ],
)
def test_steps_are_those_of_a_few_lines(rule, options):
    """Muon's only for the matrices of layers: tables have AdamW, with its options."""
    found, (begun, given) = after({"rule": rule, **options}), (start(), gradients())
    for name, w in begun.items():
        steps, taken = {"sgd": sgd, "adamw": adamw, "muon": muon}[rule], options
        if rule == "muon":
            of_tables = {"b1", "b2", "eps"}
            steps = adamw if name in TABLES else muon
            others = of_tables if name in TABLES else options.keys() - of_tables
            taken = {key: v for key, v in options.items() if key in {*others, "weight_decay"}}
        expected = steps(w, [gradient[name] for gradient in given], **taken)
        np.testing.assert_allclose(found[name], expected, rtol=1e-6, atol=1e-9, err_msg=name)


def test_the_orientation_of_matrices():
    """(out, in): one with three times as many outputs as inputs moves by √3 times an orthogonal one."""
    one = transformation({"rule": "muon", "weight_decay": 0.0}, 1.0, TABLES)
    w = jax.tree.map(jnp.asarray, start())
    step, _ = one.update(jax.tree.map(jnp.asarray, gradients()[0]), one.init(w), w)
    for name, factor in {"widen_2": 3**0.5, "narrow_2": 1.0, "query_1": 1.0}.items():
        sigma = np.linalg.svd(np.asarray(step[name]), compute_uv=False) / factor
        assert ((sigma > 0.6) & (sigma < 1.3)).all(), (name, sigma)


@pytest.mark.parametrize("rule", ["sgd", "adamw", "muon"])
def test_a_traced_rate_is_the_rate(rule):
    given = jax.tree.map(jnp.asarray, gradients()[0])
    begun = jax.tree.map(jnp.asarray, start())

    @jax.jit
    def step(rate):
        made = transformation({"rule": rule}, rate, TABLES)
        return made.update(given, made.init(begun), begun)[0]

    made = transformation({"rule": rule}, RATE, TABLES)
    expected, _ = made.update(given, made.init(begun), begun)
    for name, value in step(RATE).items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-9, atol=1e-12)
    for name, value in step(2 * RATE).items():
        np.testing.assert_allclose(value, 2 * expected[name], rtol=1e-9, atol=1e-12)
