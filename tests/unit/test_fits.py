from collections import defaultdict

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.analysis.fit_rows import FITS
from spectral_capacity.analysis.lines import fit_counts, fit_line, local_exponents
from spectral_capacity.memory.measured import DIMENSIONS

D = np.array([32, 64, 128, 256, 512])
CONSTANT = {"scale": 1.0, "d_power": 0.5, "schedule": "constant"}
SETTINGS = {
    "largest": 3,
    "bootstrap": 400,
    "confidence": 0.95,
    "n_items": 2000,
    "root_seed": 0,
    "frequencies": None,
    "own_embeddings": None,
    "options": {"gd": {}, "muon": {}},
    "steps": 1,
    "gradient": "exact",
    "prefix_share": 0.95,
    "learning_rates": defaultdict(lambda: CONSTANT),  # of any optimizer
    "maps": defaultdict(lambda: None),
    "theory": {"gd": "gradient", "muon": "muon"},
}


def grid(capacity, alphas=(1.5,), optimizers=("muon",), d=D):
    """A grid with capacity(optimizer, alpha, d array) -> (d, seed) counts."""
    values = np.stack([[capacity(o, a, d) for a in alphas] for o in optimizers])
    values = values[:, :, None, :, None, :, None]
    coordinates = {
        "optimizer": list(optimizers),
        "alpha": list(alphas),
        "kappa": [0.0],
        "d": d,
        "batch_size": [np.inf],
        "seed": np.arange(values.shape[5]),
        "step": [1],
    }
    one = np.ones_like(values, dtype=float)
    by_d = one * d[None, None, None, :, None, None, None]
    data = {
        "status": np.zeros(values.shape, np.int8),
        "capacity": values,
        "robust_prefix": values,
        "items_seen": values,
        "bulk_singular_value": 3 * by_d**-1.5,
        "mean_inverse_singular_value": by_d**1.5,
        "signal_slope": by_d**1.5,
        "logit_noise": by_d**-0.5,
        **dict.fromkeys(("loss", "best_loss", "worst_item_loss"), by_d * np.nan),
    }
    return xr.Dataset({k: (tuple(DIMENSIONS), v) for k, v in data.items()}, coordinates)


def power(exponent, constant=2.0, seeds=4, noise=0.0):
    def capacity(optimizer, alpha, d):
        rng = np.random.default_rng(0)
        mean = constant * d[:, None] ** exponent * np.ones(seeds)
        return mean * np.exp(noise * rng.standard_normal(mean.shape))

    return capacity


def one(fits, fit, quantity="capacity"):
    return fits.sel(quantity=quantity, fit=fit).isel(
        optimizer=0, alpha=0, kappa=0, batch_size=0, step=0
    )


@pytest.mark.parametrize("fit", list(FITS))
def test_an_exact_power_law_is_found(fit):
    line = one(fit_exponents(grid(power(1.3)), SETTINGS), fit)
    assert line.exponent.item() == pytest.approx(1.3, abs=1e-6)
    assert line.points.item() == (3 if fit == "largest" else 5)
    assert line.theory.item() == pytest.approx(4 / 3)


def test_singular_values_are_fitted_too():
    fits = fit_exponents(grid(power(1.3)), SETTINGS)
    line = one(fits, "ols", "bulk_singular_value")
    assert line.exponent.item() == pytest.approx(-1.5)
    assert line.theory.item() == -1.5
    assert np.isnan(one(fits, "glm", "bulk_singular_value").exponent)


def test_the_paper_fit_is_least_squares_of_the_log_mean():
    data = grid(power(1.3, noise=0.3))
    line = one(fit_exponents(data, SETTINGS), "ols")
    mean = data.capacity.mean("seed").values.ravel()
    slope, intercept = np.polyfit(np.log(D), np.log(mean), 1)
    assert line.exponent.item() == pytest.approx(slope)
    residuals = np.log(mean) - np.polyval([slope, intercept], np.log(D))
    x = np.log(D) - np.log(D).mean()
    assert line.stderr.item() == pytest.approx(np.sqrt((residuals**2).sum() / 3 / (x**2).sum()))
    assert line.z.item() == pytest.approx((slope - 4 / 3) / line.stderr.item())


def test_zero_counts_need_no_log():
    def capacity(optimizer, alpha, d):
        return np.array([[0, 0, 0], [0, 1, 2], [2, 3, 4], [5, 6, 7], [11, 12, 14]])

    fits = fit_exponents(grid(capacity), SETTINGS)
    assert one(fits, "ols").points.item() == 4
    glm = one(fits, "glm")
    assert glm.points.item() == 5
    assert np.isfinite(glm.exponent)
    assert np.isfinite(glm.stderr)
    assert np.isnan(fits.local_exponent.values.ravel()[0])


def test_nothing_recovered_gives_nothing_fitted():
    fits = fit_exponents(grid(lambda o, a, d: np.zeros((d.size, 3))), SETTINGS)
    for fit in FITS:
        assert np.isnan(one(fits, fit).exponent)


@pytest.mark.parametrize("d", [D[:1], D[:2]])
def test_few_dimensions_give_no_error(d):
    line = one(fit_exponents(grid(power(1.3), d=d), SETTINGS), "ols")
    assert np.isnan(line.stderr)
    assert np.isnan(line.exponent) == (d.size == 1)


def test_order_of_d_does_not_matter():
    data = grid(power(1.3, noise=0.2))
    fits = [fit_exponents(x, SETTINGS) for x in (data, data.isel(d=[3, 0, 4, 2, 1]))]
    for fit in ("ols", "largest", "corrected"):
        a, b = (one(x, fit).exponent.item() for x in fits)
        assert a == pytest.approx(b)


def test_corrected_takes_out_what_falls_like_one_over_d():
    def capacity(optimizer, alpha, d):
        return 3 * d[:, None] ** 1.25 * np.exp(-20 / d[:, None]) * np.ones(2)

    fits = fit_exponents(grid(capacity), SETTINGS)
    assert one(fits, "corrected").exponent.item() == pytest.approx(1.25, abs=1e-6)
    assert one(fits, "ols").exponent.item() > 1.35


def test_seed_intervals_cover_the_truth_at_about_their_rate():
    def capacity(optimizer, trial, d):
        rng = np.random.default_rng(int(trial))
        return rng.poisson(2.0 * d[:, None] ** 1.2, (d.size, 12))

    trials = grid(capacity, alphas=np.arange(2.0, 32.0))
    unknown = {"theory": {"muon": "none"}}  # predictions of thirty α would take long
    fits = fit_exponents(trials, SETTINGS | {"bootstrap": 200} | unknown)
    lines = fits.sel(quantity="capacity", fit="wls")
    covered = ((lines.boot_low <= 1.2) & (lines.boot_high >= 1.2)).sum().item()
    assert 25 <= covered <= 30  # 95 %, a little less for percentiles of twelve seeds


def test_resampling_is_reproducible():
    data = grid(power(1.3, noise=0.3))
    xr.testing.assert_identical(fit_exponents(data, SETTINGS), fit_exponents(data, SETTINGS))


def test_local_exponents():
    np.testing.assert_allclose(local_exponents(D, D**1.7), 1.7)
    assert np.isnan(local_exponents(D, np.array([0, 1, 2, 4, 8]))[0])


def test_exponents_against_alpha():
    alphas = (1.25, 1.5, 2.0, 3.0)

    def capacity(optimizer, alpha, d):
        return 2 * d[:, None] ** (0.9 + 0.6 / alpha) * np.ones(2)

    fits = fit_exponents(grid(capacity, alphas), SETTINGS)
    assert fits.c1.item() == pytest.approx(0.9)
    assert fits.c2.item() == pytest.approx(0.6)


def test_predictions_stand_beside_the_counts():
    data = grid(power(1.3), optimizers=("gd", "muon"))
    fits = fit_exponents(data, SETTINGS)
    assert (fits.predicted_capacity > 0).all()
    settings = SETTINGS | {"theory": {"gd": "none", "muon": "muon"}}
    data["signal_slope"] = data.signal_slope.where(data.optimizer != "gd")
    none = fit_exponents(data, settings)
    assert np.isnan(none.predicted_capacity.sel(optimizer="gd")).all()
    assert np.isnan(none.theory.sel(optimizer="gd", quantity="capacity")).all()


def test_numbers_among_the_options_become_coordinates():
    settings = SETTINGS | {"options": {"gd": {}, "muon": {"iterations": 5.0}}}
    fits = fit_exponents(grid(power(1.3), optimizers=("gd", "muon")), settings)
    np.testing.assert_array_equal(fits.option_iterations, [np.nan, 5.0])


def test_capacity_relative_to_the_polar_map_is_paired():
    def capacity(optimizer, alpha, d):
        muon = np.random.default_rng(0).integers(50, 90, (d.size, 4))
        return muon if optimizer == "muon" else 0.5 * muon

    fits = fit_exponents(grid(capacity, optimizers=("gd", "muon")), SETTINGS)
    for name in ("level", "level_low", "level_high"):
        ratios = fits[name].sel(quantity="capacity_to_polar").values.ravel()
        np.testing.assert_allclose(ratios, [0.5, 1.0])


def test_weights_and_counts():
    x = np.log(D)
    y = 1 + 2 * x + np.array([0.5, 0, 0, 0, 0])
    X = np.stack([np.ones(5), x], axis=1)
    assert fit_line(X, y, np.array([1e-9, 1, 1, 1, 1])).slope == pytest.approx(2, abs=1e-6)
    counts = np.random.default_rng(0).poisson(3 * D[:, None] ** 0.8, (5, 200))
    line = fit_counts(D.astype(float), counts)
    assert line.slope == pytest.approx(0.8, abs=4 * line.stderr)


@pytest.mark.parametrize(
    "counts", [[[1, 1], [1, 1]], [[1, 1], [2, 2]], [[0, 1], [3, 2]], [[0, 0], [1, 2]]]
)
def test_counts_that_leave_little_to_fit(counts):
    line = fit_counts(np.array([4.0, 8.0]), np.array(counts))
    means = np.mean(counts, axis=1)
    if means[0] == 0:
        assert np.isnan(line.slope)
    else:
        assert line.slope == pytest.approx(np.log2(means[1] / means[0]), abs=1e-6)
        assert np.isnan(line.stderr) == (np.ptp(counts, axis=1).max() == 0)


def test_theory_of_anisotropic_embeddings():
    data = grid(power(1.3), optimizers=("gd", "muon", "newton")).assign_coords(kappa=[2.0])
    names = ("gd", "muon", "newton")
    settings = SETTINGS | {
        "theory": dict(zip(names, ("gradient", "muon", "newton"), strict=True)),
        "options": {name: {} for name in names},
    }
    theory = fit_exponents(data, settings).theory.sel(fit="ols").squeeze()
    # Theorem 5 and Lemma 8 are isotropic; Muon loses 1/(2α) of its exponent, Newton nothing.
    np.testing.assert_allclose(theory.sel(quantity="capacity"), [np.nan, 1.0, 4 / 3])
    assert np.isnan(theory.sel(quantity="bulk_singular_value")).all()


def test_weighted_errors_come_from_the_spread_over_seeds():
    errors = [
        one(fit_exponents(grid(power(1.3, noise=noise)), SETTINGS), "wls").stderr.item()
        for noise in (0.01, 0.1)
    ]
    assert 7 < errors[1] / errors[0] < 14


def test_a_new_line_leaves_the_intervals_of_others():
    few, many = (
        fit_exponents(grid(power(1.3, noise=0.2), alphas), SETTINGS)
        for alphas in ((1.5,), (1.25, 1.5))
    )
    xr.testing.assert_identical(few.boot_low.sel(alpha=1.5), many.boot_low.sel(alpha=1.5))


def test_flagged_seeds_are_counted():
    data = grid(power(1.3))
    data["status"][0, 0, 0, 1, 0, :2, 0] = 1
    assert fit_exponents(data, SETTINGS).flagged.values.ravel().tolist() == [0, 2, 0, 0, 0]


def test_laws_without_a_power_have_no_critical_batch():
    data = grid(power(1.3))
    sizes = np.append(16.0 ** np.arange(1, 6), np.inf)
    curves = xr.concat([data.assign_coords(batch_size=[B]) for B in sizes], "batch_size")
    flat = fit_exponents(curves.assign_coords(alpha=[0.8]), SETTINGS)
    assert np.isnan(flat.critical_batch_size).all()


def test_the_ridge_of_newton_is_in_its_prediction():
    """At α = 3, d = 256 a ridge of 1e-8 is of the size of the least second moments: 5 % of the count."""
    data = grid(power(1.3), alphas=(3.0,), optimizers=("newton",))
    counts = {}
    for ridge in (0.0, 1e-8):
        settings = {"theory": {"newton": "newton"}, "options": {"newton": {"ridge": ridge}}}
        fits = fit_exponents(data, SETTINGS | settings | {"n_items": 20_000})
        counts[ridge] = fits.predicted_capacity.sel(d=256).item()
    assert counts[1e-8] / counts[0.0] == pytest.approx(0.95, abs=0.01)
