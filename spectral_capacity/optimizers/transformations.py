"""Update rules with state, as optax has them: what people train with.

A rule takes η, the names of those parameters that are tables (a row for each token, as an embedding; the others
are matrices of layers), and its options as keyword-only arguments, which are its configuration. It gives an
``optax.GradientTransformation`` of a dict of parameters by name, (out, in) each. It is optax's own where optax
has one, with every argument set. Weight decay is that of PyTorch: η times the decay, times the parameter.

A linear memory is one matrix and no table, its η = 1: what a rule gives is multiplied by the learning rate.
optax and JAX are imported where a rule is called: the configuration reads signatures here, and starts without
them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Lt, doc

from spectral_capacity.optimizers import own_map
from spectral_capacity.theory.newton_schulz import JORDAN

Share = Annotated[float, Ge(0), Lt(1)]
Decay = Annotated[float, Ge(0), doc("weight decay, times the learning rate")]
Epsilon = Annotated[float, Gt(0), doc("added to the root of Adam's second moment")]
First = Annotated[Share, doc("decay of Adam's mean of gradients")]
Second = Annotated[Share, doc("decay of Adam's mean of squared gradients")]
Momentum = Annotated[Share, doc("decay of the momentum")]
Nesterov = Annotated[bool, doc("Nesterov's momentum")]
Ridge = Annotated[float, Gt(0), doc("added to eigenvalues of a preconditioner, times the largest")]


def sgd(
    learning_rate: Any,
    tables: Collection[str],
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
    tables: Collection[str],
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


def lion(
    learning_rate: Any,
    tables: Collection[str],
    *,
    b1: Annotated[Share, doc("weight of the momentum in the direction")] = 0.9,
    b2: Annotated[Share, doc("decay of the momentum")] = 0.99,
    weight_decay: Decay = 1e-4,
) -> Any:
    """Lion: the sign of every entry of gradient and momentum, mixed (arXiv:2302.06675)."""
    import optax

    return optax.lion(learning_rate, b1, b2, weight_decay=weight_decay)


def muon(
    learning_rate: Any,
    tables: Collection[str],
    *,
    momentum: Momentum = 0.95,
    nesterov: Nesterov = True,
    iterations: Annotated[int, Ge(1), Le(100), doc("of Newton–Schulz, Jordan's quintic")] = 5,
    weight_decay: Decay = 1e-4,
    b1: First = 0.9,
    b2: Second = 0.95,
    eps: Epsilon = 1e-8,
) -> Any:
    """Muon on the matrices of layers; AdamW, at the same rate, on embedding, positions and unembedding.

    A matrix (out, in) moves by η √max(1, out/in) along the approximate polar factor of its momentum, a mean of
    gradients corrected for its beginning at zero.
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
    on_tables = adamw(learning_rate, tables, b1=b1, b2=b2, eps=eps, weight_decay=weight_decay)
    return optax.partition(
        {"matrix": _stacked(on_matrices), "table": on_tables},
        lambda tree: {name: "table" if name in tables else "matrix" for name in tree},
    )


def shampoo(
    learning_rate: Any,
    tables: Collection[str],
    *,
    momentum: Annotated[Share, doc("decay of the mean of gradients that is preconditioned")] = 0.0,
    b2: Annotated[
        float, Gt(0), Le(1), doc("decay of the preconditioners; 1 sums, as the paper does")
    ] = 0.95,
    ridge: Ridge = 1e-14,
    weight_decay: Decay = 1e-4,
) -> Any:
    """Shampoo: L^(−1/4) G R^(−1/4), with means L of G Gᵀ and R of Gᵀ G (arXiv:1802.09568).

    Exact roots at every step. Without a past it is the polar factor of the gradient: Muon.
    """
    import optax

    from spectral_capacity.optimizers.preconditioned import scale_by_shampoo

    return optax.chain(
        scale_by_shampoo(momentum, b2, ridge),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(learning_rate),
    )


def soap(
    learning_rate: Any,
    tables: Collection[str],
    *,
    b1: First = 0.95,
    b2: Second = 0.95,
    b_basis: Annotated[Share, doc("decay of the means that give the basis")] = 0.95,
    eps: Epsilon = 1e-8,
    weight_decay: Decay = 1e-4,
) -> Any:
    """SOAP: Adam in the eigenbasis of Shampoo's preconditioners (arXiv:2409.11321).

    A new basis at every step, by exact eigenvectors. The first step moves W, too.
    """
    import optax

    from spectral_capacity.optimizers.preconditioned import scale_by_soap

    return optax.chain(
        scale_by_soap(b1, b2, b_basis, eps),
        optax.add_decayed_weights(weight_decay),
        optax.scale_by_learning_rate(learning_rate),
    )


def own(
    learning_rate: Any,
    tables: Collection[str],
    *,
    file: Annotated[str, doc("path of the Python file")],
    function: Annotated[str, doc("its name there")],
    options: Annotated[dict[str, Any] | None, doc("its keyword arguments")] = None,
) -> Any:
    """An optimizer from a Python file of your own: `function(**options)` gives an optax transformation.

    Raises TypeError, which names the file, when that has no ``init`` and ``update``.
    """
    import optax

    made = own_map.load(file, function)(**(options or {}))
    if not all(callable(getattr(made, part, None)) for part in ("init", "update")):
        raise TypeError(
            f"{file}: {function} returned {type(made).__name__}; must be an optax transformation, with "
            "init and update"
        )
    return optax.chain(made, optax.scale(learning_rate))


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


TRANSFORMATIONS: dict[str, Callable[..., Any]] = {
    "sgd": sgd,
    "adamw": adamw,
    "lion": lion,
    "muon": muon,
    "shampoo": shampoo,
    "soap": soap,
}
"""Every rule of the package by its name in the configuration."""


def transformation(
    optimizer: Mapping[str, Any], learning_rate: Any, tables: Collection[str] = ()
) -> Any:
    """What a configured optimizer (``rule`` and its options) is at a learning rate, which may be traced.

    In Python ``rule`` may be a transformation itself.
    """
    import jax
    import optax

    rule = optimizer["rule"]
    if isinstance(rule, str):
        options = {key: v for key, v in optimizer.items() if key not in ("rule", "learning_rate")}
        rule = (TRANSFORMATIONS | {"own": own})[rule](learning_rate, tables, **options)
    else:
        rule = optax.chain(rule, optax.scale(learning_rate))

    def update(updates, state, parameters):
        # optax counts on NumPy's promotion, whatever else is set.
        with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
            return rule.update(updates, state, parameters)

    return optax.GradientTransformation(rule.init, update)
