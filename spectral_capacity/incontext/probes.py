"""What is measured of a model: accuracy, attention, and the three memories that the theory says it is made of.

Source: the metrics of arXiv:2603.26554's in-context experiment, and the memories of arXiv:2306.00802 («Birth of
a Transformer»), there called wo1, wk0 and wk1.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from jaxtyping import Array, Bool, Float

from spectral_capacity.backend import QUICKLY, jax, jnp
from spectral_capacity.incontext.model import Architecture, Transformer
from spectral_capacity.incontext.task import Laws, Sequences, Task, draw
from spectral_capacity.incontext.training import loss

TOGETHER = 128
"""Held-out sequences that are looked at together, for the memory of their attention."""


@partial(jax.jit, static_argnums=(0, 1, 5, 6), compiler_options=QUICKLY)
def measure(
    task: Task,
    architecture: Architecture,
    parameters: dict[str, Array],
    laws: Mapping[str, Laws],
    keys: Array,
    n_sequences: int,
    spectrum: bool = False,
) -> dict[str, Float[Array, " runs"]]:
    """All that is measured of models (:mod:`incontext.measured`, but its status), and whether they are
    ``finite``.

    parameters: of the models, one along the first axis of each. laws: of held-out sequences, by the suffix of
    what is measured on them. keys: of each model's; equal keys give equal sequences. n_sequences: of each law,
    a multiple of :data:`TOGETHER`. spectrum: also :func:`value_gradient`'s singular values, on those of law
    ``id``. Of built attention there are no memories of positions and triggers.
    """

    # All laws by one program: it is half as long to compile.
    stacked = jax.tree.map(lambda *parts: jnp.stack(parts), *laws.values())

    def one(given):
        parameters, key = given
        model = Transformer(parameters, architecture)

        def some(law, number):
            drawn = draw(jax.random.fold_in(key, number), task, law, TOGETHER)
            return predictions(model, drawn)

        def under(law):
            parts = jax.lax.map(partial(some, law), jnp.arange(n_sequences // TOGETHER))
            return {name: values.mean() for name, values in parts.items()}

        means = jax.lax.map(under, stacked)
        found = {
            f"{name}_{suffix}": values[number]
            for number, suffix in enumerate(laws)
            for name, values in means.items()
        }
        if spectrum:
            found |= _bulk(value_gradient(model, task, laws["id"], key, n_sequences))
        if architecture.attention == "learnt":
            found["position_recall"] = positions_recalled(model).mean()
            found["trigger_recall"] = triggers_recalled(model, task).mean()
        finite = [jnp.isfinite(p).all() for p in parameters.values()]
        return found | {
            "memory_recall": recalled(model).mean(),
            "finite": jnp.stack(finite).all(),
        }

    return jax.lax.map(one, (parameters, keys))


def predictions(model: Transformer, sequences: Sequences) -> dict[str, Float[Array, ""]]:
    """How the model does on sequences, means over them and their pairs.

    accuracy: the second output has the largest logit of the whole vocabulary. loss: its cross-entropy, nats.
    previous_token: attention of the first layer from the first output of a pair to its trigger; induction: of
    the second layer from the second trigger to the first output. Each of these also as the share of pairs for
    which it is the largest attention of its row. By position: another pair may have the same output.
    """
    seen = model(sequences.tokens, sequences.second)
    targets, first = sequences.targets[:, :, None], sequences.first[:, :, None]
    log_p = jax.nn.log_softmax(seen.logits, axis=-1)
    rows = jnp.take_along_axis(seen.attention_1, first + 1, axis=1)
    return {
        "accuracy": _mean(_argmax(seen.logits) == sequences.targets),
        "loss": -_mean(jnp.take_along_axis(log_p, targets, axis=2)),
        "previous_token_score": _mean(jnp.take_along_axis(rows, first, axis=2)),
        "previous_token_accuracy": _mean(_argmax(rows) == sequences.first),
        "induction_score": _mean(jnp.take_along_axis(seen.attention_2, first + 1, axis=2)),
        "induction_accuracy": _mean(_argmax(seen.attention_2) == sequences.first + 1),
    }


def value_gradient(
    model: Transformer, task: Task, law: Laws, key: Array, n_sequences: int
) -> Float[Array, "d d"]:
    """Gradient of the loss on held-out sequences by the second layer's value matrix, of a linear memory that
    of the memory itself."""
    W = model.parameters

    def of(value, number):
        with_it = Transformer(W | {"value_2": value}, model.architecture)
        return loss(with_it, draw(jax.random.fold_in(key, number), task, law, TOGETHER))

    parts = jnp.arange(n_sequences // TOGETHER)
    return jax.lax.map(lambda number: jax.grad(of)(W["value_2"], number), parts).mean(axis=0)


def _bulk(gradient):
    """Its largest singular value and that of half the rank."""
    sigma = jnp.linalg.svd(gradient.astype(jnp.float64), compute_uv=False)
    half = max(sigma.size // 2 - 1, 0)
    return {"value_gradient_largest": sigma[0], "value_gradient_bulk": sigma[half]}


def _argmax(values):
    return jax.lax.argmax(values, values.ndim - 1, jnp.int32)


def _mean(values):
    return values.mean(dtype=jnp.float32)


def recalled(model: Transformer) -> Bool[Array, " v"]:
    """Outputs w that the second layer's value memory recalls: of all outputs w', w has the largest
    U_w' · W_O² W_V² E_w, strictly, in float64."""
    V, W = model.architecture.vocabulary, _float64(model)
    values = W["embedding"][V:] @ W["value_2"].T @ W["output_2"].T
    return _diagonal_wins(values @ model.unembedding[V:].astype(jnp.float64).T)


def positions_recalled(model: Transformer) -> Bool[Array, " p"]:
    """Positions p ≥ 1 whose best key among all positions, by the first layer's query-key product of position
    embeddings alone, is p − 1 (wk0)."""
    W = _float64(model)
    P = W["positions"]
    scores = (P[1:] @ W["query_1"].T) @ (P @ W["key_1"].T).T
    return _diagonal_wins(scores)


def triggers_recalled(model: Transformer, task: Task) -> Bool[Array, " v"]:
    """Triggers w that the second layer's query of E_w matches best, of those of all triggers, with the key of
    W_O¹ W_V¹ E_w, what the first layer writes behind it (wk1)."""
    W = _float64(model)
    E = W["embedding"][: task.pairs if task.fixed_triggers else task.vocabulary]
    keys = E @ W["value_1"].T @ W["output_1"].T @ W["key_2"].T
    return _diagonal_wins((E @ W["query_2"].T) @ keys.T)


def _float64(model):
    return {name: value.astype(jnp.float64) for name, value in model.parameters.items()}


def _diagonal_wins(scores):
    """Rows whose entry on the diagonal is larger than all others; never one with NaN."""
    n = scores.shape[0]
    own = jnp.diagonal(scores)
    rivals = scores.at[jnp.arange(n), jnp.arange(n)].set(-jnp.inf)
    return own > rivals.max(axis=1)
