"""What the counts rest on: the same draws, and float32 products without shortcuts."""

from __future__ import annotations

import numpy as np
import pytest

from spectral_capacity.backend import jax
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.competitors import competitor_softmax
from spectral_capacity.memory.recall import recall
from spectral_capacity.sampling.batches import batch_counts
from spectral_capacity.sampling.embeddings import generate_embeddings, load_embeddings
from spectral_capacity.sampling.frequencies import power_law
from tests import oracle

pytestmark = pytest.mark.gpu

N, D = 1500, 96


@pytest.fixture
def memory(draws, device):
    """W, and U and V on the device and as they were."""
    W = np.random.default_rng(1).standard_normal((D, D)) / np.sqrt(D)
    U, V = draws(N, D)
    with jax.default_device(device):
        yield W, Associations(jax.device_put(U), jax.device_put(V)), (U, V)


def test_it_computes_where_it_should(device, memory):
    W, data, _ = memory
    softmax = competitor_softmax(W, data, np.arange(N), means=True)
    arrays = data.U, data.V, data.output_mean, *softmax.mean
    assert {where for array in arrays for where in array.devices()} == {device}


@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_float32_logits_err_by_less_than_their_bound(memory, scale):
    """Emulated on a CPU, float32 products err by a two-hundredth of it and TF32 by six of it."""
    W, data, (U, V) = memory
    found = competitor_softmax(scale * W, data, np.arange(N), means=False)
    logits = oracle.logits(scale * W, U, V)
    target = np.diag(logits).copy()
    np.fill_diagonal(logits, -np.inf)
    assert (np.abs(found.margins - (target - logits.max(1))) <= found.bound).all()
    assert np.abs(found.target - target).max() < 0.2 * found.bound.max()


def test_duplicates_tie_and_are_not_recovered(draws, device):
    U, V = draws(N, D)
    V[700] = V[3]
    W = V[:40].astype(np.float64).T @ U[:40]
    with jax.default_device(device):
        found = recall(W, jax.device_put(U), jax.device_put(V))
    np.testing.assert_array_equal(found.recovered, oracle.recovered(W, U, V))
    assert found.recovered[2]
    assert not found.recovered[3]
    assert found.near_ties >= 1


@pytest.mark.parametrize("store", ["keys", "arrays"])
def test_embeddings_and_batches_are_drawn_on_the_cpu(device, cpu, tmp_path, store):
    drawn = []
    for where in (device, cpu):
        path = tmp_path / f"{where.id}.nc"
        with jax.default_device(where):
            generate_embeddings(path, n_items=300, d=8, seeds=[4], root_seed=0, store=store)
            counts = batch_counts(power_law(300, 1.5), [50], root_seed=0, d=8, seed=4)
        drawn.append((path, counts[50]))
    (there, some), (here, same) = drawn
    np.testing.assert_array_equal(some, same)
    with jax.default_device(device):  # which its fingerprint would refuse
        for array, other in zip(load_embeddings(here, 4), load_embeddings(there, 4), strict=True):
            np.testing.assert_array_equal(array, other)
