import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from pandas._libs.parsers import STR_NA_VALUES

from spectral_capacity.analysis import claims
from spectral_capacity.analysis.claims_file import FitClaim, read_claims
from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.analysis.verdicts import (
    CONTRADICTED,
    INCONCLUSIVE,
    NOT_MEASURED,
    SUPPORTED,
)
from spectral_capacity.report import claims_page
from spectral_capacity.report.claims_page import to_html
from spectral_capacity.results.fits import SHOWN
from tests.unit.test_fits import SETTINGS, grid

CLAIM = {
    "id": "T3",
    "statement": "One step stores :math:`d^C` <items>.",
    "source": "a theorem",
    "experiment": "one_step",
    "optimizer": "muon",
    "quantity": "capacity",
    "fit": "largest",
    "log_powers": 1.0,
}


def measured(exponent, noise=0.005, log_powers=1.0, **changes):
    rng = np.random.default_rng(0)

    def capacity(optimizer, alpha, d):
        return 2 * d[:, None] ** exponent(alpha) * np.exp(noise * rng.standard_normal((d.size, 6)))

    fits = fit_exponents(grid(capacity, alphas=(1.5, 2.0)), SETTINGS)
    claim = FitClaim(**CLAIM | {"log_powers": log_powers} | changes)
    return claims.check([claim], {"one_step": fits})


def test_a_true_claim_is_supported():
    rows = measured(lambda alpha: 1 + 1 / (2 * alpha))
    assert rows.verdict.tolist() == [SUPPORTED, SUPPORTED]
    assert rows.claim_verdict.unique() == [SUPPORTED]
    np.testing.assert_allclose(rows.predicted, [4 / 3, 1.25])
    # One power of a logarithm at the geometric mean of d = 128, 256, 512.
    np.testing.assert_allclose(rows.tolerance, 1 / math.log(256))


def test_a_false_claim_is_contradicted():
    rows = measured(lambda alpha: 1.8)
    assert rows.claim_verdict.unique() == [CONTRADICTED]


def test_rows_have_the_note_and_the_logarithms_of_their_claim():
    rows = measured(lambda alpha: 1.8, note="A *reason*.")
    assert rows.note.unique() == ["A *reason*."]
    assert rows.log_powers.unique() == [1.0]
    assert "A <em>reason</em>." in to_html(rows)
    assert "= 1/log 256" in to_html(rows)
    assert "<em>reason" not in to_html(measured(lambda a: 1 + 1 / (2 * a), note="A *reason*."))


def test_a_measurement_too_coarse_is_inconclusive():
    rows = measured(lambda alpha: 1 + 1 / (2 * alpha), noise=0.5)
    assert rows.claim_verdict.unique() == [INCONCLUSIVE]


def test_a_tighter_band_turns_the_verdict():
    true = measured(lambda alpha: 1 + 1 / (2 * alpha) + 0.1, log_powers=1.0)
    tight = measured(lambda alpha: 1 + 1 / (2 * alpha) + 0.1, log_powers=0.1)
    assert true.claim_verdict.unique() == [SUPPORTED]
    assert tight.claim_verdict.unique() == [CONTRADICTED]


@pytest.mark.parametrize("change", [{"experiment": "other"}, {"optimizer": "adam"}])
def test_what_was_not_run_is_not_measured(change):
    fits = fit_exponents(grid(lambda o, a, d: d[:, None] * np.ones(2)), SETTINGS)
    rows = claims.check([FitClaim(**CLAIM | change)], {"one_step": fits})
    assert rows.verdict.tolist() == [NOT_MEASURED]
    assert "not measured" in to_html(rows)
    assert next(iter(change.values())) in rows.reason.item()


def test_the_page_and_the_table(tmp_path):
    rows = measured(lambda alpha: 1 + 1 / (2 * alpha))
    claims_page.write(rows, tmp_path / "c.csv", tmp_path / "c.html")
    page = (tmp_path / "c.html").read_text()
    assert "supported" in page
    assert "<msup><mi>d</mi><mi>C</mi></msup></math> &lt;items&gt;" in page
    table = pd.read_csv(tmp_path / "c.csv")
    assert table.statement.unique() == ["One step stores d^C <items>."]
    assert table.columns.tolist() == claims.COLUMNS
    assert table.verdict.tolist() == [SUPPORTED, SUPPORTED]


def test_exponents_are_held_against_the_fit_that_figures_show():
    fits = {claim.fit for claim in read_claims("data/claims.yaml") if isinstance(claim, FitClaim)}
    assert fits <= {SHOWN, None}


def test_the_claims_of_the_repository_can_be_read():
    ids = {claim.id for claim in read_claims("data/claims.yaml")}
    assert {"T3", "T3B", "C4", "T5", "N", "N invariance", "K", "OPT", "L8", "INFO"} <= ids
    assert {"T9", "T9 loss", "T10", "CONJ", "LIM", "INFO steps"} <= ids


def level(low, high):
    """Fits in which the counts of a map are low … high times those of the polar map."""

    def capacity(optimizer, alpha, d):
        ratios = np.linspace(low, high, 4) if optimizer == "gd" else 1.0
        return d[:, None] * ratios * np.ones(4)

    return fit_exponents(grid(capacity, optimizers=("gd", "muon")), SETTINGS)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.5, 0.6, SUPPORTED), (0.9, 1.2, INCONCLUSIVE), (1.2, 1.3, CONTRADICTED)],
)
def test_a_claim_about_a_level(low, high, expected):
    changes = {
        "optimizer": ["gd"],
        "quantity": "capacity_to_polar",
        "statistic": "level",
        "relation": "at_most",
        "predicted": 1.0,
        "tolerance": 0.05,
    }
    plain = {k: v for k, v in CLAIM.items() if k not in ("fit", "log_powers")}
    rows = claims.check([FitClaim(**plain | changes)], {"one_step": level(low, high)})
    assert rows.verdict.tolist() == [expected]
    assert rows.measured.item() == pytest.approx((low + high) / 2)
    assert "at most" in to_html(rows)


def test_a_claim_about_several_optimizers_has_a_row_for_each():
    fits = fit_exponents(
        grid(lambda o, a, d: d[:, None] * np.ones(2), optimizers=("gd", "muon")), SETTINGS
    )
    several = CLAIM | {"optimizer": ["gd", "muon", "adam"], "predicted": "muon"}
    rows = claims.check([FitClaim(**several)], {"one_step": fits})
    assert rows.optimizer.tolist() == ["gd", "muon", "adam"]
    np.testing.assert_allclose(rows.predicted[:-1], 4 / 3)


def test_an_optimizer_that_was_not_trained_says_so_and_does_not_count():
    """The others decide, as if it were not named."""

    def fits(optimizers):
        return fit_exponents(
            grid(
                lambda o, a, d: 2 * d[:, None] ** (1 + 1 / (2 * a)) * np.ones(4),
                optimizers=optimizers,
            ),
            SETTINGS,
        )

    several = FitClaim(**CLAIM | {"optimizer": ["muon", "adam"], "predicted": "muon"})
    rows = claims.check([several], {"one_step": fits(["muon"])})
    assert rows.verdict.tolist() == [SUPPORTED, NOT_MEASURED]
    assert rows.claim_verdict.unique() == [SUPPORTED]
    reason = "adam is not among the optimizers of one_step"
    assert rows.reason.iloc[-1] == reason
    assert f"Not measured: {reason}." in to_html(rows)
    rows = claims.check([several], {})
    assert rows.claim_verdict.tolist() == [NOT_MEASURED]
    assert "the experiment one_step was not run" in to_html(rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- id: [", "cannot be read as YAML"),
        ("- id: T3\n", r"c\.yaml: entry 0\.statement: Field required"),
        ("x: 3", r"c\.yaml: entry"),
        (yaml.safe_dump([CLAIM, CLAIM]), "each id once; repeated: T3"),
        (yaml.safe_dump([CLAIM | {"fit": "wls", "quantity": "bulk_singular_value"}]), "fit wls"),
        (yaml.safe_dump([CLAIM | {"quantity": "information"}]), "information is no exponent in d"),
        (yaml.safe_dump([CLAIM | {"quantity": "peak_capacity"}]), "of a whole run: steps: last"),
        (yaml.safe_dump([CLAIM | {"steps": []}]), r"entry 0\.steps"),
        (yaml.safe_dump([CLAIM | {"steps": [0]}]), r"entry 0\.steps"),
        (
            yaml.safe_dump([CLAIM | {"figure": 2}]),
            r"entry 0\.figure: Input should be a valid string",
        ),
        (yaml.safe_dump([CLAIM | {"figure": ""}]), r"entry 0\.figure"),
        (yaml.safe_dump([CLAIM | {"note": ""}]), r"entry 0\.note"),
        (yaml.safe_dump([CLAIM | {"note": 3}]), r"entry 0\.note: Input should be a valid string"),
        (yaml.safe_dump([CLAIM | {"fit": None}]), "an exponent needs a fit"),
        (yaml.safe_dump([CLAIM | {"tolerance": 0.1}]), "log_powers or tolerance, one of them"),
        (yaml.safe_dump([CLAIM | {"statistic": "level"}]), "a level is the value at the largest d"),
        (
            yaml.safe_dump([CLAIM, CLAIM | {"id": "T", "quantity": "capacty"}]),
            r"c\.yaml: entry 1\.quantity: 'capacty' is not known; allowed: capacity, .*information",
        ),
        (
            yaml.safe_dump([CLAIM | {"id": "NA"}]),
            r"entry 0\.id: 'NA' in a table is read as a missing",
        ),
    ],
)
def test_bad_claims_name_the_entry(tmp_path, text, message):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_claims(path)


def test_ids_that_pandas_would_lose_are_refused(tmp_path):
    for name in STR_NA_VALUES:
        (tmp_path / "c.yaml").write_text(yaml.safe_dump([CLAIM | {"id": name}]))
        with pytest.raises(ValueError, match="read as a missing value"):
            read_claims(tmp_path / "c.yaml")


def test_claims_are_read_without_slow_imports():
    slow = ("jax", "matplotlib", "pandas", "scipy", "statsmodels", "xarray")
    code = (
        "import sys; from spectral_capacity.analysis.claims_file import read_claims; "
        f"read_claims('data/claims.yaml'); print([name for name in {slow} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_no_claims_make_an_empty_table(tmp_path):
    rows = claims.check([], {})
    claims_page.write(rows, tmp_path / "c.csv", tmp_path / "c.html")
    assert rows.columns.tolist() == claims.COLUMNS
    assert "<h1>" in (tmp_path / "c.html").read_text()


def test_without_the_population_nothing_is_measured():
    finite = grid(lambda o, a, d: d[:, None] * np.ones(2)).assign_coords(batch_size=[64.0])
    rows = claims.check([FitClaim(**CLAIM)], {"one_step": fit_exponents(finite, SETTINGS)})
    assert rows.verdict.tolist() == [NOT_MEASURED]


def test_no_theory_speaks_of_flat_frequencies():
    fits = fit_exponents(grid(lambda o, a, d: d[:, None] * np.ones(2), alphas=(0.8,)), SETTINGS)
    claim = FitClaim(**CLAIM | {"predicted": "muon"})
    assert claims.check([claim], {"one_step": fits}).verdict.tolist() == [NOT_MEASURED]
