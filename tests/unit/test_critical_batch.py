import math

import numpy as np
import pytest

from spectral_capacity.analysis.critical_batch import fit_break
from spectral_capacity.analysis.information_line import information_exponent
from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory.predictions import items_seen

ALPHA = 1.5
B = np.append(2.0 ** np.arange(1, 19), np.inf)
P = power_law(10_000, ALPHA)


def model(batch_sizes=B, critical=700.0, plateau=100.0, sharpness=2.0, alpha=ALPHA):
    drop = np.log1p((critical / batch_sizes) ** sharpness) / (alpha * sharpness)
    return plateau * np.exp(-drop)


def noisy(rng, seeds=4, **parameters):
    return rng.poisson(model(**parameters)[:, None], (B.size, seeds))


def fit(counts, batch_sizes=B, alpha=ALPHA, bootstrap=200, seed=0):
    counts = counts[:, None] if counts.ndim == 1 else counts
    rng = np.random.default_rng(seed)
    return fit_break(batch_sizes, counts, alpha, bootstrap=bootstrap, confidence=0.95, rng=rng)


def numbers(found):
    return [v for k, v in vars(found).items() if k not in ("resampled", "points")]


def slope(counts, limits, samples=B, bootstrap=400, rng=None, **options):
    """Of one curve for each d; ``limits`` are the largest samples on the information line."""
    small = samples <= np.array(limits)[:, None]
    settings = {"bootstrap": bootstrap, "confidence": 0.95, "rng": rng or np.random.default_rng(0)}
    return information_exponent(
        samples[None], counts[:, None], small[:, None], P, **settings, **options
    )


@pytest.mark.parametrize("sharpness", [0.5, 2.0, 9.0])
@pytest.mark.parametrize("alpha", [1.25, 3.0])
@pytest.mark.parametrize("measured", [B, B[:-1]])  # with and without the population
def test_the_model_itself_is_recovered(sharpness, alpha, measured):
    found = fit(model(measured, 700.0, 100.0, sharpness, alpha), measured, alpha)
    assert found.critical_batch_size == pytest.approx(700, rel=1e-6)
    assert found.plateau == pytest.approx(100, rel=1e-6)
    assert found.information_constant == pytest.approx(100 / 700 ** (1 / alpha), rel=1e-6)
    assert found.sharpness == pytest.approx(sharpness, rel=1e-3)
    assert found.rms_residual < 1e-6
    assert found.points == measured.size


def test_the_break_is_where_the_asymptotes_cross():
    found = fit(noisy(np.random.default_rng(0)))
    assert found.critical_batch_size == pytest.approx(
        (found.plateau / found.information_constant) ** ALPHA
    )


def test_the_plateau_is_the_population_and_an_overshoot_moves_nothing():
    counts = model(sharpness=10.0)
    counts[10:13] *= [1.4, 1.2, 1.1]  # at B = 2048, 4096, 8192: 3, 6, 12 B*
    found = fit(counts)
    assert found.plateau == pytest.approx(100)
    assert found.critical_batch_size == pytest.approx(700, rel=1e-3)
    assert found.rms_residual == pytest.approx(
        math.sqrt(np.square(np.log([1.4, 1.2, 1.1])).sum() / 18), rel=1e-2
    )
    free = fit(counts[:-1], B[:-1])
    assert free.critical_batch_size > 730


def test_the_order_of_batch_sizes_does_not_matter():
    counts = noisy(np.random.default_rng(1))
    order = np.random.default_rng(2).permutation(B.size)
    np.testing.assert_allclose(
        numbers(fit(counts)), numbers(fit(counts[order], B[order])), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("critical", "use"),
    [
        (700.0, B < 500),  # no plateau
        (700.0, B < 2000),  # one batch size on it
        (700.0, (B < 500) | np.isinf(B)),  # the plateau, but no turn towards it
        (700.0, B > 2000),  # no line
        (3.0, B > 0),  # no two batch sizes on it
        (700.0, np.isin(B, [64, 4096, np.inf])),  # three points
        (700.0, B < 0),
    ],
)
def test_a_break_that_is_not_seen_is_not_invented(critical, use):
    found = fit(model(critical=critical, sharpness=5.0)[use][:, None] * np.ones(3), B[use])
    assert np.isnan(numbers(found)).all()
    assert np.isnan(found.resampled).all()
    assert found.resampled.shape == (200,)
    assert found.points == use.sum()


def test_noise_on_a_line_or_a_plateau_is_no_break():
    rng = np.random.default_rng(0)
    for mean in (model(critical=1e9, plateau=1e6), np.full(B.size, 40.0)):
        counts = rng.poisson(mean[:-1, None], (B.size - 1, 4))
        assert math.isnan(fit(counts, B[:-1]).critical_batch_size)


def test_four_points_are_enough():
    use = np.isin(B, [32, 128, 4096, np.inf])
    assert fit(model(sharpness=10.0)[use], B[use]).critical_batch_size == pytest.approx(700, 0.05)


def test_points_without_a_log_are_left_out():
    counts = noisy(np.random.default_rng(0)).astype(float)
    counts[0] = 0
    counts[7, 2] = np.nan
    found = fit(counts)
    keep = ~np.isin(np.arange(B.size), [0, 7])
    assert found.points == B.size - 2
    np.testing.assert_array_equal(numbers(found), numbers(fit(counts[keep], B[keep])))
    assert np.isfinite(numbers(found)).all()


def test_nothing_recovered_anywhere():
    found = fit(np.zeros((B.size, 2), int))
    assert np.isnan(numbers(found)).all()
    assert found.points == 0


def test_resamples_that_recover_little():
    """Three of four seeds recover nothing on most of the curve: their resample has no fit."""
    counts = np.zeros((B.size, 4))
    counts[:, 0] = model()
    counts[-3:] = 50.0
    found = fit(counts, bootstrap=2000)
    assert math.isfinite(found.critical_batch_size)
    assert 0.2 < np.isnan(found.resampled).mean() < 0.45  # (3/4)⁴ = 0.32
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_one_seed_has_no_interval():
    found = fit(noisy(np.random.default_rng(0), seeds=1))
    assert math.isfinite(found.critical_batch_size)
    assert np.isnan([found.low, found.high, *found.resampled]).all()


def test_whole_curves_are_resampled():
    """Seeds that differ by a factor in B at every B: B* of a resample lies between theirs."""
    counts = np.stack([model(critical=c, sharpness=10.0) for c in (500.0, 1000.0)], axis=1)
    found = fit(counts, bootstrap=4000)
    centre = math.log(found.critical_batch_size)
    values, times = np.unique(found.resampled, return_counts=True)
    np.testing.assert_allclose(times / 4000, [0.25, 0.5, 0.25], atol=0.03)
    ends = centre + math.sqrt(2) * (np.log([500.0, 1000.0]) - centre)
    np.testing.assert_allclose(values, [ends[0], centre, ends[1]], atol=1e-3)
    np.testing.assert_allclose(np.log([found.low, found.high]), ends, atol=1e-3)


def test_identical_seeds_have_no_spread():
    found = fit(np.repeat(model()[:, None], 4, axis=1))
    assert found.high / found.low == pytest.approx(1, abs=1e-6)


def test_intervals_cover_the_truth_at_about_their_rate():
    covered = 0
    for trial in range(20):
        found = fit(noisy(np.random.default_rng(trial), seeds=3, sharpness=3.0), seed=trial)
        covered += found.low <= 700 <= found.high
    assert 12 <= covered <= 20  # 95 %, less for percentiles of three seeds: 82 %


def test_resampling_is_reproducible():
    counts = noisy(np.random.default_rng(0))
    np.testing.assert_array_equal(fit(counts).resampled, fit(counts).resampled)


@pytest.mark.parametrize("wrong", [[0.0, 1, 2, 3, 4], [1, 1, 2, 3, 4], [np.nan, 1, 2, 3, 4]])
def test_batch_sizes_are_positive_and_distinct(wrong):
    with pytest.raises(ValueError, match="positive and distinct"):
        fit(np.ones((5, 2)), np.array(wrong))


def test_the_slope_of_the_information_line_is_found():
    limits = [250.0, 1125.0]
    lines = np.stack([constant * B**0.6 for constant in (1.2, 1.7)])
    lines[np.array(limits)[:, None] < B] = 1e3  # beyond the line: not to be looked at
    found = slope(lines[..., None] * np.ones(3), limits)
    assert found.slope == pytest.approx(0.6)
    assert found.low == pytest.approx(0.6)
    assert found.high == pytest.approx(0.6)
    assert found.points == 5 + 9  # 8 … 128 and 4 … 1024
    assert slope(lines[..., None], [125.0, 562.5], minimum=10.0).points == 0 + 5


def test_one_intercept_for_each_curve():
    counts = np.stack([c * model(critical=1e5, sharpness=9.0) for c in (1.0, 5.0, 0.2)])[..., None]
    assert slope(counts, [1e4] * 3).slope == pytest.approx(1 / ALPHA, abs=1e-6)
    order = np.random.default_rng(0).permutation(B.size)
    assert slope(counts[:, order], [1e4] * 3, B[order]).slope == pytest.approx(1 / ALPHA, abs=1e-6)


def test_curves_with_little_line_say_nothing():
    counts = np.stack([model(critical=c, sharpness=9.0) for c in (1e5, 100.0, 700.0)])[..., None]
    alone, among = slope(counts[:1], [1e4]), slope(counts, [1e4, 2.0, math.nan])
    assert among.slope == pytest.approx(alone.slope)
    assert among.points == alone.points
    none = slope(counts, [math.nan, 2.0, 2.0])
    assert np.isnan([none.slope, none.low, none.high, none.finite_size]).all()
    assert none.points == 0


def test_the_expected_number_of_items_is_fitted_beside_the_counts():
    seen = np.array([items_seen(P, size) for size in B])
    found = slope(seen[None, :, None], [1e9])
    assert found.finite_size == pytest.approx(found.slope)
    assert abs(found.slope - 1 / ALPHA) > 0.01


def test_seeds_are_drawn_for_all_curves_of_a_d():
    # Each seed has a factor of its own on every curve: curves of one draw keep their common slope.
    factor = np.array([0.5, 1.0, 2.0])
    curves = np.stack([c * 3 * B[:8, None] ** 0.5 * factor for c in (1.0, 4.0)])[None]
    small = np.ones((1, 2, 8), bool)
    samples = np.stack([B[:8], 16 * B[:8]])
    settings = {"bootstrap": 100, "confidence": 0.95, "rng": np.random.default_rng(0)}
    found = information_exponent(samples, curves, small, P, **settings)
    assert [found.low, found.slope, found.high] == pytest.approx([0.5] * 3)


def test_one_seed_has_no_interval_of_the_slope():
    found = slope(model(critical=1e5)[None, :, None], [1e5])
    assert math.isfinite(found.slope)
    assert np.isnan([found.low, found.high]).all()


def test_slope_intervals_cover_the_truth_at_about_their_rate():
    covered = 0
    for trial in range(100):
        rng = np.random.default_rng(trial)
        counts = rng.poisson(2 * B[:10, None] ** (1 / ALPHA), (3, 10, 8))
        found = slope(counts, [1e9] * 3, B[:10], bootstrap=200, rng=rng)
        covered += found.low <= 1 / ALPHA <= found.high
    assert 82 <= covered <= 99
