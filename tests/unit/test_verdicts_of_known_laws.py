"""How often verdicts are right: grids drawn from known laws, at the seeds and d's of the default configuration.

Counts are those of the finite-size theory, saturation and all, times d^``trend``, with the scatter over seeds
that runs have: of counts, and of the draw of the embeddings.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from spectral_capacity.analysis import claims, exponents, predicted_counts
from spectral_capacity.analysis.claims_file import read_claims
from spectral_capacity.analysis.verdicts import CONTRADICTED, SUPPORTED
from tests.unit.test_fits import SETTINGS, grid

ALPHAS = (1.25, 1.5, 2.0, 2.5, 3.0)
DEFAULT = SETTINGS | {"n_items": 100_000, "bootstrap": 300}
KNOWN = {claim.id: claim for claim in read_claims("data/claims.yaml")}


@pytest.fixture(scope="module")
def law():
    """The prediction of one Muon step, and a function that says it again without work."""
    flat = grid(lambda o, a, d: np.ones((d.size, 4)), alphas=ALPHAS)
    return predicted_counts.predictions(flat, predicted_counts.FitSettings.of(DEFAULT))


def scattered(law, rng, trend, seeds=4):
    """Counts of a run, with half of Poisson's scatter: most items are recovered by all seeds or by none.

    At d = 64, α = 1.5 counts of 45 were measured to scatter by 2.8 between seeds.
    """

    def capacity(optimizer, alpha, d):
        mean = law.capacity.sel(alpha=alpha).values.ravel() * (d / 128.0) ** trend
        scatter = 0.45 * np.sqrt(mean)[:, None] * rng.standard_normal((d.size, seeds))
        return np.maximum(np.rint(mean[:, None] + scatter), 0.0)

    return grid(capacity, alphas=ALPHAS)


def verdicts(monkeypatch, law, ids, *, runs=10, trend=0.0, off=0.0, seeds=4):
    """Verdicts of claims, a list of them for each id, of as many runs.

    trend: of counts over the prediction in d. off: by how much the prediction misses the theorem's exponent.
    """
    continued = functools.partial(_continued, exponents.continued_exponent, off)
    monkeypatch.setattr(exponents, "continued_exponent", continued)
    monkeypatch.setattr(exponents, "predictions", lambda grid, settings: law)
    rng = np.random.default_rng(1)
    found = []
    for _ in range(runs):
        fits = exponents.fit_exponents(scattered(law, rng, trend, seeds), DEFAULT)
        rows = claims.check([KNOWN[id] for id in ids], {"one_step": fits})
        found.append(rows.drop_duplicates("claim").set_index("claim").claim_verdict)
    return {id: [one[id] for one in found] for id in ids}


def _continued(real, off, *arguments):
    return real(*arguments) + off


def share(found, verdict):
    return sum(one == verdict for one in found) / len(found)


@pytest.mark.slow
def test_a_true_theorem_is_supported(monkeypatch, law):
    found = verdicts(monkeypatch, law, ["T3", "T3 slope", "T3 constant"], runs=40)
    assert min(share(all_of, SUPPORTED) for all_of in found.values()) >= 0.95, found


@pytest.mark.parametrize("off", [-0.1, 0.1])
def test_a_theorem_of_another_exponent_is_contradicted(monkeypatch, law, off):
    assert share(verdicts(monkeypatch, law, ["T3"], off=off)["T3"], CONTRADICTED) == 1


@pytest.mark.parametrize("trend", [-0.1, 0.1])
def test_a_prediction_that_goes_wrong_with_d_is_contradicted(monkeypatch, law, trend):
    found = verdicts(monkeypatch, law, ["T3", "T3 constant"], trend=trend)
    assert share(found["T3"], CONTRADICTED) >= 0.8
    assert share(found["T3 constant"], CONTRADICTED) >= 0.8
