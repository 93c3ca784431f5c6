"""Several thresholded steps of Muon: against memories that were trained, and in limits."""

import numpy as np
import pytest
from scipy.special import log_ndtr

from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory.exponents import muon_exponent
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.polar_resolvent import PolarResolvent
from spectral_capacity.theory.thresholded_steps import thresholded_muon
from tests.unit.theory.trained import assert_counts_agree, muon, recovered


@pytest.mark.slow
@pytest.mark.parametrize(
    ("d", "alpha", "seeds", "tolerance"), [(64, 2.0, 24, 0.05), (128, 1.5, 8, 0.03)]
)
def test_counts_survival_and_overlaps_of_trained_memories(d, alpha, seeds, tolerance):
    n, steps = 4000, 4
    found, directions = recovered(
        n, d, alpha, muon(1.0), seeds=seeds, steps=steps, gradient="thresholded"
    )
    predicted = thresholded_muon(Items.of(power_law(n, alpha)), d, steps)
    assert_counts_agree(found, predicted.counts, tolerance)
    overlaps = np.einsum("nsij,ntij->st", directions, directions) / seeds / d
    np.testing.assert_allclose(predicted.overlaps, overlaps, atol=0.025)
    before = np.concatenate([np.zeros_like(found[:, :1]), found[:, :-1]], axis=1)
    first = found & (np.cumsum(before, axis=1) == 0)
    kept = np.einsum("nsi,nti->st", first.astype(float), found.astype(float)) / seeds
    s, t = np.triu_indices(steps, 1)
    share = (kept / np.diagonal(kept)[:, None])[s, t]
    np.testing.assert_allclose(predicted.survival[s, t], share, atol=0.08)


def test_first_step_is_that_of_the_closed_form():
    """P = E Φ(χ_d S + √(1 − S²) g)^(N−1): without the spread of signals, by plain Monte Carlo."""
    n, d = 20_000, 128
    items = Items.of(power_law(n, 1.5))
    S = PolarResolvent(items.p, items.weight, d).response(items.p)[:1000, None]
    rng = np.random.default_rng(0)
    length, g = np.sqrt(rng.chisquare(d, 1000)), rng.standard_normal(1000)
    closed = np.exp((n - 1) * log_ndtr(length * S + np.sqrt(1 - S**2) * g)).mean(axis=1).sum()
    assert thresholded_muon(items, d, 1).counts[0] == pytest.approx(closed, rel=0.025)


@pytest.mark.parametrize("alpha", [1.5, 2.0])
def test_continued_exponents_are_those_of_the_theorem(alpha):
    large = 2**17, 2**20
    counts = np.array(
        [
            thresholded_muon(Items.power_law(alpha), d, 3, n_competitors=1e5, draws=1024).counts
            for d in large
        ]
    )
    local = np.log(counts[1] / counts[0]) / np.log(large[1] / large[0])
    theorem = [muon_exponent(alpha, steps=t) for t in (1, 2, 3)]
    np.testing.assert_allclose(local, theorem, atol=0.015)


def test_shares_are_shares_and_a_seed_repeats_itself():
    items = Items.of(power_law(3000, 1.5))
    one, same, other = (thresholded_muon(items, 64, 3, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.recovered, same.recovered)
    np.testing.assert_allclose(one.counts, other.counts, rtol=0.04)
    for shares in (one.recovered, one.unlearnt):
        assert shares.min() >= 0
        assert shares.max() <= 1
    assert (np.diff(one.unlearnt, axis=0) <= 1e-12).all()
    assert one.recovered[:, -1] == pytest.approx([1 / 3000] * 3, rel=0.3)
    assert one.kept[0, 0] == pytest.approx(one.counts[0], rel=0.02)
    assert (one.masses < 1).all()
    assert one.variances[0] == pytest.approx(1, abs=1e-4)
    assert one.head_variance[1] < one.variances[1]


def test_a_fine_resolution_is_the_polar_map_and_a_coarse_one_is_not():
    items = Items.of(power_law(3000, 1.5))
    polar = thresholded_muon(items, 64, 2).counts
    fine = thresholded_muon(items, 64, 2, resolutions=[1e-9, 1e-9]).counts
    coarse = thresholded_muon(items, 64, 2, resolutions=[0.01, 0.01]).counts
    np.testing.assert_allclose(fine, polar, rtol=5e-3)
    assert (coarse < 0.8 * polar).all()


def test_what_cannot_be_predicted_is_refused():
    with pytest.raises(ValueError, match="n_competitors"):
        thresholded_muon(Items.power_law(1.5), 64, 1)
    with pytest.raises(ValueError, match="more than d"):
        thresholded_muon(Items.of(power_law(60, 1.5)), 64, 1)
