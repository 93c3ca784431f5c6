import json
import math

import numpy as np
import pytest
import xarray as xr

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.analysis.iterations import (
    COLUMNS,
    Iteration,
    depth_table,
    newton_schulz_depths,
    ratio_to_polar,
    required_iterations,
)
from spectral_capacity.analysis.quantities import LINE
from tests.unit.test_fits import SETTINGS, grid

K = np.array([1, 2, 4, 8])
D = np.array([16, 64])


def newton_schulz(name, iterations):
    return {"map": {"name": "newton_schulz", "coefficients": name, "iterations": iterations}}


DEFINITIONS = {
    "muon": {"map": {"name": "polar"}},
    "gd": {},
    **{f"ns_{k}": newton_schulz("jordan", k) for k in (9, 1, 3, 5, 7)},
}


def data(ratio, definitions=DEFINITIONS, seeds=3, alphas=(1.5,), d=D):
    """A grid and its fits with the counts 100·d·ratio(k, alpha, d, seed), the polar map's being 100·d."""

    def capacity(optimizer, alpha, d):
        k = (definitions[optimizer].get("map") or {}).get("iterations", math.inf)
        one = [[ratio(k, alpha, x, s) if k < math.inf else 1.0 for s in range(seeds)] for x in d]
        return np.round(100 * d[:, None] * np.array(one)).astype(int)

    g = grid(capacity, alphas, tuple(definitions), d)
    g.attrs["provenance"] = json.dumps({"configuration": {"definitions": definitions}})
    theory = [{"muon": "muon", "gd": "gradient"}.get(name, "none") for name in definitions]
    predicted = g.capacity.isel(seed=0, drop=True).astype(float).transpose(*LINE, "d")
    fits = {"predicted_capacity": predicted, "family": ("optimizer", theory)}
    return g, xr.Dataset(fits)  # quicker than to fit them


def law(k, alpha, d, seed=0, offset=0.5):
    """A ratio that comes to 0.95 just where the law with this offset says."""
    return min(1.2, 0.95 + 0.05 * (k - alpha * math.log(d) / math.log(3.4445) - offset))


def test_the_level_is_reached_between_two_depths():
    assert required_iterations(K, np.array([0.1, 0.9, 1.0, 1.0])) == pytest.approx(3.0)
    assert required_iterations(K, np.array([0.1, 0.5, 0.75, 1.0]), level=0.8) == pytest.approx(4.8)
    assert required_iterations(K, np.array([0.1, 0.95, 1.0, 1.0])) == 2.0


def test_what_is_reached_at_once_is_the_first_depth_and_what_is_never_is_infinite():
    assert required_iterations(K, np.array([0.96, 0.97, 1.0, 1.0])) == 1.0
    assert required_iterations(K, np.array([0.1, 0.5, 0.9, 0.94])) == math.inf
    assert required_iterations(K[:1], np.array([0.9])) == math.inf


def test_a_dip_counts_unless_it_may_be_ignored():
    ratio = np.array([0.1, 1.0, 0.93, 0.97])
    assert required_iterations(K, ratio) == pytest.approx(6.0)
    assert required_iterations(K, ratio, dip=0.05) == pytest.approx(1 + 0.85 / 0.9)
    assert required_iterations(K, ratio, dip=0.01) == pytest.approx(6.0)
    assert required_iterations(K, np.array([0.1, 1.0, 1.0, 0.93])) == math.inf
    # A dip that may be ignored does not make a level that is not reached a reached one.
    assert required_iterations(K, np.array([0.1, 0.93, 0.93, 0.94]), dip=0.05) == math.inf


def test_depths_without_a_ratio_are_left_out():
    assert required_iterations(K, np.array([0.1, 0.9, np.nan, 1.0])) == pytest.approx(5.0)
    assert math.isnan(required_iterations(K, np.full(4, np.nan)))


def test_growth_is_the_slope_at_zero():
    assert Iteration("jordan").slope_at_zero == 3.4445
    assert Iteration("cubic", safety=1.25).slope_at_zero == 1.5 / 1.25
    assert math.isnan(Iteration("polar_express").slope_at_zero)


def test_families_are_the_newton_schulz_optimizers_in_order():
    g, _ = data(law, DEFINITIONS | {"pe": newton_schulz("polar_express", 2)})
    found = newton_schulz_depths(g)
    assert list(found[Iteration("jordan")].items()) == [(k, f"ns_{k}") for k in (1, 3, 5, 7, 9)]
    assert found[Iteration("polar_express")] == {2: "pe"}


def test_precisions_and_safeties_are_families_of_their_own():
    half, safe = (newton_schulz("jordan", 3) for _ in range(2))
    half["map"] |= {"precision": "float16"}
    safe["map"] |= {"precision": "float16", "safety": 1.01}
    g, fits = data(law, DEFINITIONS | {"half": half, "safe": safe})
    found = newton_schulz_depths(g)
    assert {str(one): [*names] for one, names in found.items()} == {
        "jordan": [1, 3, 5, 7, 9],
        "jordan, float16": [3],
        "jordan, float16, safety 1.01": [3],
    }
    table = depth_table(g, fits)
    assert table.groupby(["precision", "safety"]).size().tolist() == [2, 2, 2]


def test_ratios_are_of_each_seed():
    g, fits = data(law)
    g.capacity.loc[{"optimizer": "muon", "seed": 1, "d": 16}] = 800
    g.capacity.loc[{"optimizer": "muon", "seed": 2, "d": 16}] = 0
    ratio = ratio_to_polar(g.capacity, fits).sel(optimizer="ns_9", d=16, seed=[0, 1, 2])
    one = g.capacity.sel(optimizer="ns_9", d=16, seed=0).item()
    np.testing.assert_allclose(ratio.values.ravel(), [one / 1600, one / 800, np.nan])
    assert ratio_to_polar(g.capacity, fits).dims == g.capacity.dims


def test_a_reference_is_needed():
    g, fits = data(law)
    with pytest.raises(ValueError, match="polar map is needed"):
        ratio_to_polar(g.capacity, fits.assign(family=fits.family.where(False, "none")))


def test_real_fits_have_what_is_needed():
    g, fits = data(law, {name: DEFINITIONS[name] for name in ("muon", "ns_3", "ns_5")})
    names = g.optimizer.values.tolist()
    theory = dict(zip(names, fits.family.values, strict=True))
    options = {name: {} for name in names}
    maps = {name: DEFINITIONS[name]["map"] for name in names}
    of_these = {"bootstrap": 100, "theory": theory, "options": options, "maps": maps}
    fitted = fit_exponents(g, SETTINGS | of_these)
    assert fitted.predicted_capacity.dims == fits.predicted_capacity.dims
    assert fitted.family.values.tolist() == fits.family.values.tolist()
    table = depth_table(g, fitted)
    assert table.required.equals(depth_table(g, fits).required)
    ratio = (fitted.predicted_capacity / fitted.predicted_capacity.sel(optimizer="muon")).squeeze()
    three, five = (ratio.sel(optimizer=name, d=64).item() for name in ("ns_3", "ns_5"))
    expected = 3 + 2 * (0.95 - three) / (five - three)  # between the two
    assert table.finite_size[table.d == 64].item() == pytest.approx(expected)


def test_the_law_is_found_where_it_holds():
    g, fits = data(law, alphas=(1.0, 1.5))
    table = depth_table(g, fits)
    assert tuple(table.columns) == COLUMNS
    assert [*zip(table.alpha, table.d, strict=True)] == [(1, 16), (1, 64), (1.5, 16), (1.5, 64)]
    expected = table.alpha * np.log(table.d) / math.log(3.4445) + 0.5
    np.testing.assert_allclose(table.required, expected, atol=0.02)  # counts are whole
    np.testing.assert_allclose(table.predicted, expected, atol=0.02)
    np.testing.assert_allclose(table.finite_size, table.required)
    np.testing.assert_allclose(table.low, table.required)
    np.testing.assert_allclose(table.high, table.required)


def test_intervals_hold_the_spread_of_seeds_and_are_the_same_twice():
    def ratio(k, alpha, d, seed):
        return law(k, alpha, d, offset=0.5 + (seed - 1))

    g, fits = data(ratio)
    table = depth_table(g, fits)
    assert (table.low < table.required - 0.5).all()
    assert (table.high > table.required + 0.5).all()
    assert table.equals(depth_table(g, fits))


def test_what_some_seeds_do_not_reach_has_no_upper_end():
    def ratio(k, alpha, d, seed):
        return 0.1 * k + 0.1 * seed if d > 16 else 0.09 * k

    table = depth_table(*data(ratio)).set_index("d")
    assert math.isinf(table.required[16])
    assert math.isinf(table.low[16])
    assert np.isfinite(table.predicted).all()  # the constant is of what was reached
    assert math.isfinite(table.required[64])
    assert math.isinf(table.high[64])


def test_one_seed_has_no_interval_and_no_reference_no_depth():
    table = depth_table(*data(law, seeds=1, d=np.array([16, 32, 64])))
    assert np.isnan(table[["low", "high"]]).all(axis=None)
    assert np.isfinite(table.required).all()
    g, fits = data(law)
    g.capacity.loc[{"optimizer": "muon"}] = 0
    assert np.isnan(depth_table(g, fits)[["required", "low", "high"]]).all(axis=None)


def test_changing_coefficients_have_no_law_and_no_newton_schulz_no_rows():
    definitions = {"muon": {}} | {f"pe_{k}": newton_schulz("polar_express", k) for k in (1, 9)}
    table = depth_table(*data(law, definitions))
    assert np.isnan(table.predicted).all()
    assert np.isfinite(table.required).all()
    empty = depth_table(*data(law, {"muon": {}, "gd": {}}))
    assert empty.empty
    assert tuple(empty.columns) == COLUMNS
