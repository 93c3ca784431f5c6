"""Weights built by hand that copy from their context are measured as perfect, and broken ones as broken."""

import jax.numpy as jnp
import numpy as np
import pytest

from spectral_capacity.backend import jax
from spectral_capacity.incontext.model import initialise
from spectral_capacity.incontext.probes import measure, predictions
from spectral_capacity.incontext.task import Task
from tests.unit.incontext import models
from tests.unit.incontext.test_sequences import draw_of_key, laws

pytestmark = pytest.mark.slow

TASK = Task(vocabulary=8, length=20, pairs=3)
V = TASK.vocabulary
ARCHITECTURE, COPYING = models.by_hand(V, TASK.length)
N = 1024
"""Held-out sequences."""
LAWS = {"id": laws(TASK, 1.5, 1.5), "ood": laws(TASK)}


def measured(*these, task=TASK):
    """Of models, each with the same held-out sequences: a dict for each."""
    three = [*these, *[COPYING] * (3 - len(these))]  # one program for all
    given = {name: jnp.asarray(np.stack([W[name] for W in three]), jnp.float32) for name in COPYING}
    keys = jnp.stack([jax.random.key(3)] * 3)
    found = measure(task, ARCHITECTURE, given, LAWS, keys, N)
    return [{name: float(values[i]) for name, values in found.items()} for i in range(len(these))]


def with_values(to):
    """The copying model, but an output is said as another one."""
    value = COPYING["value_2"].copy()
    value[V : 2 * V] = value[V + to]
    return COPYING | {"value_2": value}


def test_a_model_that_copies_is_perfect_in_all_that_is_measured():
    (found,) = measured(COPYING)
    for name in ("memory_recall", "position_recall", "trigger_recall", "finite"):
        assert found.pop(name) == 1, name
    for law in LAWS:
        for name in ("accuracy", "previous_token_accuracy", "induction_accuracy"):
            assert found.pop(f"{name}_{law}") == 1
        for name in ("previous_token_score", "induction_score"):
            assert found.pop(f"{name}_{law}") == pytest.approx(1, abs=1e-6)
        # Its logit is 1 and those of all others 0.
        loss = np.log(np.e + 2 * V - 1) - 1
        assert found.pop(f"loss_{law}") == pytest.approx(loss, rel=1e-5)
    assert not found


def test_permuted_values_recall_nothing_and_leave_attention_as_it_is():
    (found,) = measured(with_values(np.roll(np.arange(V), 1)))
    assert found["memory_recall"] == 0
    assert found["accuracy_id"] == found["accuracy_ood"] == 0
    assert (
        found["position_recall"] == found["trigger_recall"] == found["induction_accuracy_ood"] == 1
    )


def test_half_of_the_values_permuted_is_half_recalled():
    to = np.arange(V)
    to[: V // 2] = np.roll(to[: V // 2], 1)
    (found,) = measured(with_values(to))
    assert found["memory_recall"] == 0.5
    assert found["accuracy_ood"] == pytest.approx(0.5, abs=0.1)


def test_without_its_first_layer_it_can_only_count():
    """Attention of layer 2 is even: the most frequent token wins, as in a count of what it has seen."""
    zero = np.zeros_like(COPYING["output_1"])
    parts = ("query_1", "key_1", "value_1", "output_1")
    (found,) = measured(COPYING | dict.fromkeys(parts, zero))
    assert found["trigger_recall"] == found["position_recall"] == 0
    assert found["memory_recall"] == 1
    sequences = draw_of_key(9, TASK, LAWS["ood"], N)
    tokens, second, targets = (
        np.asarray(part) for part in (sequences.tokens, sequences.second, sequences.targets)
    )
    chance = []
    for row, places, outputs in zip(tokens, second, targets, strict=True):
        for q, target in zip(places, outputs, strict=True):
            counts = np.bincount(row[1 : q + 1], minlength=2 * V)
            best = counts == counts.max()
            chance.append(best[target] / best.sum())
    error = np.std(chance) / np.sqrt(N)
    assert found["accuracy_ood"] == pytest.approx(np.mean(chance), abs=6 * error)
    assert 1 / (2 * V) < np.mean(chance) < 0.5
    even = np.mean([[1 / q for q in places] for places in second])
    assert found["induction_score_ood"] == pytest.approx(even, abs=0.02)


def test_ties_are_not_recalled_and_nan_is_told():
    tied = COPYING | {"unembedding": COPYING["unembedding"].copy()}
    tied["unembedding"][V + 1] = tied["unembedding"][V]
    broken = COPYING | {"positions": COPYING["positions"].copy()}
    broken["positions"][0, 0] = np.nan
    of_tied, of_broken, whole = measured(tied, broken, COPYING)
    assert of_tied["memory_recall"] == (V - 2) / V
    assert (of_tied["finite"], of_broken["finite"], whole["finite"]) == (1, 0, 1)
    assert whole["accuracy_ood"] == 1


def test_only_fixed_triggers_can_be_recalled():
    """The others are never seen."""
    fixed = Task(V, TASK.length, TASK.pairs, fixed_triggers=True)
    others = COPYING | {"value_1": COPYING["value_1"].copy()}
    others["value_1"][:, TASK.pairs : V] = 0
    assert measured(others, task=fixed)[0]["trigger_recall"] == 1
    assert measured(others)[0]["trigger_recall"] == TASK.pairs / V


def test_scores_are_attention_at_the_positions_of_each_pair():
    """Beside plain loops over the attention of a model that has learnt nothing."""
    model = jax.jit(initialise, static_argnums=1)(jax.random.key(0), ARCHITECTURE)
    sequences = draw_of_key(1, TASK, LAWS["ood"], 16)
    found = jax.jit(predictions)(model, sequences)
    W = {name: np.asarray(value, float) for name, value in model.parameters.items()}
    logits, one, two = models.forward(W, np.asarray(sequences.tokens), normalise=False)
    rows = [
        (b, p, q, int(sequences.tokens[b, q + 1]))
        for b in range(16)
        for p, q in zip(
            np.asarray(sequences.first)[b], np.asarray(sequences.second)[b], strict=True
        )
    ]
    log_p = logits - np.log(np.exp(logits - logits.max(-1, keepdims=True)).sum(-1, keepdims=True))
    expected = {
        "accuracy": [logits[b, q].argmax() == w for b, p, q, w in rows],
        "loss": [logits.max(-1)[b, q] - log_p[b, q, w] for b, p, q, w in rows],
        "previous_token_score": [one[b, p + 1, p] for b, p, q, w in rows],
        "previous_token_accuracy": [one[b, p + 1].argmax() == p for b, p, q, w in rows],
        "induction_score": [two[b, q, p + 1] for b, p, q, w in rows],
        "induction_accuracy": [two[b, q].argmax() == p + 1 for b, p, q, w in rows],
    }
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert float(found[name]) == pytest.approx(np.mean(values), rel=1e-4), name
