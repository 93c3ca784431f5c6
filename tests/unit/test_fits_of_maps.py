"""What fits predict of spectral maps that have no closed form."""

import numpy as np
import pytest

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.theory.predictions import linear_response_capacity
from spectral_capacity.theory.spectral_response import SpikedSpectrum
from tests.unit.test_fits import SETTINGS, D, grid, power


def map_settings(**maps):
    """Of Muon and optimizers with these maps."""
    return SETTINGS | {
        "maps": {"muon": {"name": "polar"}} | maps,
        "theory": {"muon": "muon"} | dict.fromkeys(maps, "none"),
        "options": {name: {} for name in ("muon", *maps)},
    }


def test_maps_without_a_closed_form_are_predicted_from_one_spectrum(monkeypatch):
    """As the polar map is where they tend to it, item by item, and with one spectrum for all."""
    made = []
    of = SpikedSpectrum.of

    def counted(items, d, rounding):
        made.append(d)
        return of(items, d, rounding)

    monkeypatch.setattr(SpikedSpectrum, "of", counted)
    steep = {"name": "power", "exponent": 0.01}
    iterated = {"name": "newton_schulz", "coefficients": "polar_express", "iterations": 12}
    coarse = {"name": "smoothed_polar", "resolution": 30.0, "unit": "bulk"}
    fine = {"name": "smoothed_polar", "resolution": 1e-5, "unit": "absolute"}
    settings = map_settings(steep=steep, iterated=iterated, coarse=coarse, fine=fine)
    names = ("muon", "steep", "iterated", "coarse", "fine")
    fits = fit_exponents(grid(power(1.3), optimizers=names, d=D[1:3]), settings)
    assert made == [64, 128]  # not once for each of the four
    for name in ("capacity", "robust_prefix", "recovered_mass", "head_recall"):
        found = fits[f"predicted_{name}"].squeeze()
        muon = found.sel(optimizer="muon")
        for like in ("steep", "iterated", "fine"):
            np.testing.assert_allclose(found.sel(optimizer=like), muon, rtol=0.05)
        assert (found.sel(optimizer="coarse") < 0.95 * muon).all()
    assert fits.predicted_linear_response.isnull().all()


def test_rounding_lowers_the_prediction_of_the_same_iteration():
    exact = {"name": "newton_schulz", "coefficients": "jordan", "iterations": 12, "safety": 1.0}
    maps = {name: exact | {"precision": name} for name in ("float64", "float32", "bfloat16")}
    steep = grid(power(1.3), alphas=(3.0,), optimizers=tuple(maps), d=np.array([32]))
    fits = fit_exponents(steep, map_settings(**maps))
    exact, single, half = fits.predicted_capacity.values.ravel()
    assert single == pytest.approx(exact, rel=0.01)
    assert half < 0.8 * exact


def test_maps_have_a_prediction_for_isotropic_populations_up_to_a_largest_d():
    half = map_settings(half={"name": "power", "exponent": 0.5})
    two = grid(power(1.3), optimizers=("half",), d=np.array([64, 2048]))
    found = fit_exponents(two, half).predicted_capacity.sel(optimizer="half").squeeze()
    np.testing.assert_array_equal(found.notnull(), [True, False])
    for other in ({"kappa": [1.0]}, {"batch_size": [256.0]}):
        fits = fit_exponents(two.isel(d=[0]).assign_coords(other), half)
        assert fits.predicted_capacity.sel(optimizer="half").isnull().all()


def test_a_users_own_map_has_its_linear_response_under_a_name_of_its_own():
    own = {"name": "own", "file": "a.py", "function": "f", "options": None}
    data = grid(power(1.3), optimizers=("map",))
    fits = fit_exponents(data, map_settings(map=own))
    p = power_law(SETTINGS["n_items"], 1.5)
    expected = [linear_response_capacity(p, float(d) ** 1.5, float(d) ** -0.5) for d in D]
    np.testing.assert_allclose(fits.predicted_linear_response.values.ravel(), expected)
    assert fits.predicted_capacity.isnull().all()
    assert "linear response" in fits.predicted_linear_response.long_name
    anisotropic = fit_exponents(data.assign_coords(kappa=[2.0]), map_settings(map=own))
    assert anisotropic.predicted_linear_response.isnull().all()


def test_sign_descent_has_no_prediction():
    settings = map_settings() | {
        "maps": {"sign": None},
        "theory": {"sign": "none"},
        "options": {"sign": {}},
    }
    fits = fit_exponents(grid(power(1.3), optimizers=("sign",)), settings)
    assert fits.predicted_capacity.isnull().all()
    assert fits.predicted_linear_response.isnull().all()
