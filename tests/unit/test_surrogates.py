"""Embeddings in place of a user's own, and predictions with the spectra of those."""

import hashlib

import netCDF4
import numpy as np
import pytest

from spectral_capacity import fit, measure
from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import merged, parse
from spectral_capacity.embeddings import save_embeddings
from spectral_capacity.sampling.surrogates import moments, redrawn
from tests.unit.test_docs import ROOT

N, D = 400, 6
OPTIMIZERS = {
    "gd": {"rule": "gradient"},
    "muon": {"rule": "spectral", "map": {"name": "polar"}},
    "newton": {"rule": "newton", "ridge": 1e-8},
    "sign": {"rule": "sign"},
}


@pytest.fixture(scope="module")
def pair():
    """Vectors that become shorter with the rank, each with its rank as the last component."""
    rng = np.random.default_rng(0)
    U, V = rng.exponential(1, (2, N, D)) / np.arange(1, N + 1)[:, None] ** 0.2
    U[:, -1] = V[:, -1] = np.arange(N)
    return U.astype(np.float32), V.astype(np.float32)


def ranks(X):
    return X[:, -1].astype(int)


def test_rows_stay_as_they_are(pair):
    assert all(a is b for a, b in zip(redrawn(*pair, "rows", [0, 1]), pair, strict=True))


def test_pairs_are_two_items_about_as_frequent(pair):
    U, V = redrawn(*pair, "pairs", [0, 1])
    np.testing.assert_array_equal(U, pair[0])
    other = ranks(V)
    np.testing.assert_array_equal(V, pair[1][other])
    assert sorted(other) == [*range(N)]
    assert (other != np.arange(N)).all()
    factor = np.log((other + 3) / (np.arange(N) + 3))
    assert (abs(factor) < np.log(2) + 0.5).sum() >= N - 1  # the rarest has the most frequent's
    assert np.std(factor) > 0.2


def test_shuffled_rows_are_the_same_in_any_order(pair):
    shuffled = redrawn(*pair, "shuffled", [0, 1])
    for X, given in zip(shuffled, pair, strict=True):
        np.testing.assert_array_equal(X[np.argsort(ranks(X))], given)
        assert abs(np.corrcoef(ranks(X), np.arange(N))[0, 1]) < 0.2
    assert (ranks(shuffled[0]) != ranks(shuffled[1])).any()


def test_gaussian_draws_have_mean_and_covariance(pair):
    many = [np.repeat(X, 250, axis=0) for X in pair]
    for X, given in zip(redrawn(*many, "gaussian", [0, 1]), pair, strict=True):
        (mean, covariance), (expected, of_given) = moments(X), moments(given)
        scale = np.sqrt(np.diag(of_given))
        np.testing.assert_allclose(mean / scale, expected / scale, atol=0.02)
        assert abs((covariance - of_given) / np.outer(scale, scale)).max() < 0.02
        skewness = ((X - mean) ** 3).mean(axis=0) / scale**3
        assert abs(skewness).max() < 0.05


@pytest.mark.parametrize("draw", ["pairs", "shuffled", "gaussian"])
def test_seeds_differ_and_repeat(pair, draw):
    first, again, other = (redrawn(*pair, draw, [7, s])[1] for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.fixture
def anisotropic(tmp_path):
    """A file of Gaussian embeddings of which some directions are longer, and a mean of the outputs."""
    d, rng = 32, np.random.default_rng(0)
    scale = np.sqrt(np.arange(1, d + 1) ** -0.7)
    U, V = rng.standard_normal((2, 2000, d)) * scale
    save_embeddings(tmp_path / "own.nc", U, V + 5)
    return {"n_items": 2000, "d": d, "alpha": 1.5, "embeddings": {"file": str(tmp_path / "own.nc")}}


def test_counts_are_predicted_with_measured_spectra(anisotropic):
    """Gaussian surrogates have the predicted counts, which are far below those of isotropic embeddings."""
    own = {"embeddings": anisotropic["embeddings"] | {"draw": "gaussian"}}
    grid = measure(OPTIMIZERS, seeds=8, **anisotropic | own)
    counts, expected = grid.capacity.mean("seed").squeeze(), fit(grid).predicted_capacity.squeeze()
    assert np.isnan(expected.sel(optimizer="sign"))
    expected = expected.to_series().drop("sign")
    for name, within in (("muon", 2.0), ("newton", 2.0), ("gd", 0.8)):
        assert counts.sel(optimizer=name).item() == pytest.approx(expected[name], abs=within), name
    isotropic = {
        "gd": 4.6,
        "muon": 19.0,
        "newton": 22.8,
    }  # predicted, and measured within half an item
    lower = expected / [isotropic[name] for name in expected.index]
    np.testing.assert_allclose(lower[["gd", "muon", "newton"]], [0.6, 0.72, 1.0], atol=0.01)


def test_what_has_no_prediction(anisotropic, tmp_path):
    few = np.random.default_rng(0).standard_normal((2, 2000, 32))
    few[0, :, 20:] = 0
    save_embeddings(tmp_path / "few.nc", *few)
    for change in ({"embeddings": {"file": str(tmp_path / "few.nc")}}, {"batch_size": [64]}):
        grid = measure({"muon": OPTIMIZERS["muon"]}, seeds=1, **anisotropic | change)
        assert np.isnan(fit(grid).predicted_capacity).all()


def test_only_surrogates_have_seeds_that_the_file_has_not(anisotropic):
    with pytest.raises(ConfigError, match="no seed dimension"):
        measure({"gd": OPTIMIZERS["gd"]}, seeds=2, **anisotropic)


def test_the_readme_describes_the_vectors_of_words():
    readme = (ROOT / "data/README.md").read_text(encoding="utf-8")
    table = (ROOT / "data/glove_words.csv").read_bytes()
    assert hashlib.sha256(table).hexdigest() in readme
    with netCDF4.Dataset(ROOT / "data/glove_vectors.nc") as file:
        U, V = (np.asarray(file[name][:]) for name in "UV")
    np.testing.assert_array_equal(U, V)
    assert U.shape == (6_000, 100)
    assert hashlib.sha256(U.tobytes()).hexdigest() in readme
    words = [line.split(b",")[0] for line in table.splitlines() if not line.startswith(b"#")][1:]
    near = U.astype(float) / np.linalg.norm(U, axis=1)[:, None]
    king, queen, bread = (near[words.index(word)] for word in (b"king", b"queen", b"bread"))
    assert king @ queen > 0.7 > 0.3 > king @ bread  # rows of the one are rows of the other


def test_the_configuration_of_words_draws_its_figure():
    files = [ROOT / "config/config.yaml", ROOT / "config/words.yaml"]
    config = parse(merged(files), root=ROOT)
    assert [*config.drawn(config.selected)] == ["real_embeddings"]
    draws = {name: e.embeddings and e.embeddings.draw for name, e in config.selected.items()}
    assert draws == {
        "words_isotropic": None,
        "words_gaussian": "gaussian",
        "words_shuffled": "shuffled",
        "words_pairs": "pairs",
        "words_same": "rows",
    }
