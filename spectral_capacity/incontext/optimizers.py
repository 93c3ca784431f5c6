"""Update rules of transformers: optax's, every argument set, with what moves which parameter.

A rule takes η and the names of the parameters that it moves, and its options as keyword-only arguments, which
are its configuration. It gives an ``optax.GradientTransformation`` of a dict of parameters by name. Weight
decay is that of PyTorch: η times the decay, times the parameter. optax and JAX are imported where a rule is
called: the configuration reads signatures here, and starts without them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Lt, doc

from spectral_capacity.incontext.names import TABLES

Share = Annotated[float, Ge(0), Lt(1)]
Decay = Annotated[float, Ge(0), doc("weight decay, times the learning rate")]
Epsilon = Annotated[float, Gt(0), doc("added to the root of Adam's second moment")]
First = Annotated[Share, doc("decay of Adam's mean of gradients")]
Second = Annotated[Share, doc("decay of Adam's mean of squared gradients")]
Momentum = Annotated[Share, doc("decay of the momentum")]
Nesterov = Annotated[bool, doc("Nesterov's momentum")]

JORDAN = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic of the public Muon."""


def sgd(
    learning_rate: Any,
    names: Sequence[str],
    *,
    momentum: Momentum = 0.95,
    nesterov: Nesterov = False,
    weight_decay: Decay = 1e-4,
    coupled: Annotated[bool, doc("the decay is part of the gradient, as in PyTorch's SGD")] = False,
) -> Any:
    """Stochastic gradient descent with momentum, whose buffer is a sum of gradients, as PyTorch's."""
    import optax

    decay, trace = optax.add_decayed_weights(weight_decay), optax.trace(momentum, nesterov)
    parts = (decay, trace) if coupled else (trace, decay)
    return optax.chain(*parts, optax.scale_by_learning_rate(learning_rate))


def adamw(
    learning_rate: Any,
    names: Sequence[str],
    *,
    b1: First = 0.9,
    b2: Second = 0.95,
    eps: Epsilon = 1e-8,
    weight_decay: Decay = 1e-4,
) -> Any:
    """AdamW."""
    import optax

    return optax.adamw(
        learning_rate, b1, b2, eps, eps_root=0.0, weight_decay=weight_decay, nesterov=False
    )


def muon(
    learning_rate: Any,
    names: Sequence[str],
    *,
    momentum: Momentum = 0.95,
    nesterov: Nesterov = True,
    iterations: Annotated[int, Ge(1), Le(100), doc("of Newton–Schulz, Jordan's quintic")] = 5,
    weight_decay: Decay = 1e-4,
    b1: First = 0.9,
    b2: Second = 0.95,
    eps: Epsilon = 1e-8,
) -> Any:
    """Muon on the matrices of the layers; AdamW, at the same rate, on embedding, positions and unembedding.

    A matrix (out, in) moves by η √max(1, out/in) along the approximate polar factor of its momentum.
    """
    import optax
    from optax.contrib import MuonDimensionNumbers

    matrix = MuonDimensionNumbers(reduction_axis=2, output_axis=1)
    on_matrices = optax.contrib.muon(
        learning_rate,
        ns_coeffs=(JORDAN,) * iterations,
        ns_steps=iterations,
        beta=momentum,
        eps=1e-8,
        weight_decay=weight_decay,
        weight_decay_mask=None,
        mu_dtype=None,
        nesterov=nesterov,
        adaptive=False,
        preconditioning="frobenius",
        muon_weight_dimension_numbers=lambda tree: dict.fromkeys(tree, matrix),
        consistent_rms=None,
    )
    # Not the AdamW inside of optax's Muon: Nesterov's momentum would be its, too.
    on_tables = adamw(learning_rate, names, b1=b1, b2=b2, eps=eps, weight_decay=weight_decay)
    return optax.partition(
        {"matrix": _stacked(on_matrices), "table": on_tables},
        {name: "table" if name in TABLES else "matrix" for name in names},
    )


def _stacked(rule: Any) -> Any:
    """The rule, applied to matrices of one shape together, (n, out, in): fewer operations to compile."""
    import jax
    import jax.numpy as jnp
    import optax

    def stacks(tree):
        by_shape = {}
        for leaf in jax.tree.leaves(tree):
            by_shape.setdefault(str(leaf.shape), []).append(leaf)
        return {shape: jnp.stack(leaves) for shape, leaves in by_shape.items()}

    def update(updates, state, parameters):
        found, state = rule.update(stacks(updates), state, stacks(parameters))
        leaves, form = jax.tree.flatten(updates)
        parts = {shape: iter(stack) for shape, stack in found.items()}
        return jax.tree.unflatten(form, [next(parts[str(leaf.shape)]) for leaf in leaves]), state

    return optax.GradientTransformation(lambda parameters: rule.init(stacks(parameters)), update)


RULES: dict[str, Callable] = {"sgd": sgd, "adamw": adamw, "muon": muon}
"""Every rule by its name in the configuration."""


def transformation(optimizer: Mapping[str, Any], learning_rate: Any, names: Sequence[str]) -> Any:
    """What a configured optimizer (``rule`` and its options) is at a learning rate, which may be traced."""
    import jax
    import optax

    options = {key: v for key, v in optimizer.items() if key not in ("rule", "learning_rate")}
    rule = RULES[optimizer["rule"]](learning_rate, names, **options)

    def update(updates, state, parameters):
        # optax counts on NumPy's promotion, whatever else is set.
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            return rule.update(updates, state, parameters)

    return optax.GradientTransformation(rule.init, update)
