import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from spectral_capacity.results.netcdf import DamagedFile, write_netcdf
from spectral_capacity.sampling import embeddings
from spectral_capacity.sampling.embeddings import (
    anisotropic,
    fingerprint,
    generate_embeddings,
    load_embeddings,
)
from spectral_capacity.sampling.streams import Stream, stream_key

SETTINGS = {"n_items": 500, "d": 12, "seeds": [0, 1], "root_seed": 0}


@pytest.fixture
def stores(tmp_path):
    for store in ("keys", "arrays"):
        generate_embeddings(tmp_path / f"{store}.nc", store=store, **SETTINGS)
    return tmp_path


@pytest.mark.parametrize("seed", [0, 1])
def test_both_stores_give_the_same_draws(stores, seed):
    for a, b in zip(
        load_embeddings(stores / "keys.nc", seed),
        load_embeddings(stores / "arrays.nc", seed),
        strict=True,
    ):
        assert a.shape == (500, 12)
        assert a.dtype == np.float32
        np.testing.assert_array_equal(a, b)
    assert (stores / "keys.nc").stat().st_size < 40_000


def test_draws_are_standard_normal_over_root_d(tmp_path):
    generate_embeddings(
        tmp_path / "e.nc", n_items=40_000, d=16, seeds=[0], root_seed=3, store="keys"
    )
    for array in load_embeddings(tmp_path / "e.nc", 0):
        z = array.astype(float) * 4
        assert z.mean() == pytest.approx(0, abs=5 / np.sqrt(z.size))
        assert z.var() == pytest.approx(1, abs=5 * np.sqrt(2 / z.size))
        assert (z**4).mean() == pytest.approx(3, abs=5 * np.sqrt(96 / z.size))
        np.testing.assert_allclose(z.T @ z / len(z), np.eye(16), atol=5 * np.sqrt(2 / len(z)))


def test_seeds_roles_dimensions_and_roots_are_independent(tmp_path):
    arrays = []
    for root, d in ((0, 12), (1, 12), (0, 13)):
        path = tmp_path / f"{root}_{d}.nc"
        generate_embeddings(path, n_items=300, d=d, seeds=[0, 1], root_seed=root, store="keys")
        arrays += [a[:, :12].ravel() for s in (0, 1) for a in load_embeddings(path, s)]
    correlation = np.corrcoef(arrays)[np.triu_indices(len(arrays), 1)]
    assert np.abs(correlation).max() < 5 / np.sqrt(arrays[0].size)


def test_an_item_is_the_same_for_every_number_of_items(tmp_path):
    for n in (100, 500):
        generate_embeddings(
            tmp_path / f"{n}.nc", n_items=n, d=12, seeds=[0], root_seed=0, store="keys"
        )
    few, many = (load_embeddings(tmp_path / f"{n}.nc", 0) for n in (100, 500))
    np.testing.assert_array_equal(few[0], many[0][:100])
    np.testing.assert_array_equal(few[1], many[1][:100])


def test_keys_are_a_fixed_function_of_the_coordinates():
    import jax

    # These numbers are data: other keys are other embeddings, and every stored result is void.
    key = jax.random.key_data(stream_key(0, Stream.INPUT_EMBEDDINGS, 64, 3))
    assert key.tolist() == [3992288794, 3985858308]


@pytest.mark.parametrize("store", ["keys", "arrays"])
def test_a_fingerprint_that_does_not_match_is_an_error(stores, store):
    import netCDF4

    with netCDF4.Dataset(stores / f"{store}.nc", "a") as file:
        file["fingerprint"][1, 0] = file["fingerprint"][1, 0] ^ np.uint64(1)
    load_embeddings(stores / f"{store}.nc", 0)
    with pytest.raises(ValueError, match="U of seed 1 is not what its fingerprint says"):
        load_embeddings(stores / f"{store}.nc", 1)


def test_a_damaged_file_of_a_rule_is_set_aside_and_a_users_own_is_not(stores):
    path = stores / "arrays.nc"
    raw = bytearray(path.read_bytes())
    raw[raw.index(load_embeddings(path, 1)[0].tobytes())] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ValueError, match="U of seed 1 is not what its fingerprint says"):
        load_embeddings(path, 1)
    assert path.exists()
    with pytest.raises(DamagedFile, match=r"arrays\.nc: damaged; set aside as arrays\.nc\.damaged"):
        load_embeddings(path, 1, ours=True)
    assert not path.exists()


def test_a_seed_that_is_not_there(stores):
    with pytest.raises(KeyError, match=r"seed 5 is not in this file, it holds \[0, 1\]"):
        load_embeddings(stores / "keys.nc", 5)


def test_fingerprints_see_values_and_order():
    a = np.random.default_rng(0).standard_normal((700, 5)).astype(np.float32)
    marks = {fingerprint(x) for x in (a, a[::-1], a[:, ::-1], -a, np.nextafter(a, 9), a[:-1])}
    assert len(marks) == 6
    assert fingerprint(a) == fingerprint(a.copy())


@pytest.mark.parametrize("seeds", [None, [0, 3]])
def test_embeddings_of_your_own(tmp_path, seeds):
    dims = ("item", "component") if seeds is None else ("seed", "item", "component")
    shape = (30, 4) if seeds is None else (2, 30, 4)
    rng = np.random.default_rng(0)
    variables = {name: (dims, rng.standard_normal(shape), {}) for name in "UV"}
    if seeds:
        variables["seed"] = (("seed",), np.array(seeds), {})
    write_netcdf(tmp_path / "own.nc", variables, {})
    U, V = load_embeddings(tmp_path / "own.nc", 3)
    where = ... if seeds is None else 1
    np.testing.assert_array_equal(U, variables["U"][1][where].astype(np.float32))
    np.testing.assert_array_equal(V, variables["V"][1][where].astype(np.float32))
    if seeds:
        with pytest.raises(KeyError, match="seed 1"):
            load_embeddings(tmp_path / "own.nc", 1)


def test_anisotropic_outputs():
    V = np.random.default_rng(0).standard_normal((20_000, 6)).astype(np.float32) / np.sqrt(6)
    scaled, variances = anisotropic(jnp.asarray(V), 1.0)
    assert variances.sum() == pytest.approx(1)
    np.testing.assert_allclose(variances[0] / variances, np.arange(1, 7), rtol=1e-12)
    np.testing.assert_allclose(np.var(scaled, axis=0), variances, rtol=0.05)
    same, flat = anisotropic(jnp.asarray(V), 0.0)
    np.testing.assert_array_equal(same, V)
    np.testing.assert_allclose(flat, 1 / 6)


def test_files_open_in_xarray(stores):
    with xr.open_dataset(stores / "arrays.nc") as file:
        assert file.U.dims == ("seed", "item", "component")
        assert file.attrs["store"] == "arrays"


def test_kept_embeddings_are_those_of_the_file_and_no_more_than_fit(tmp_path, monkeypatch):
    for d in (4, 8):
        generate_embeddings(
            tmp_path / f"{d}.nc", n_items=50, d=d, seeds=[0, 1, 2], root_seed=3, store="keys"
        )
    monkeypatch.setattr(embeddings, "KEPT", 2 * 2 * 50 * 4 * 4)  # two seeds of d = 4
    drawn = []
    draw = embeddings.load_embeddings
    monkeypatch.setattr(
        embeddings,
        "load_embeddings",
        lambda p, s, **o: drawn.append((p.stem, s)) or draw(p, s, **o),
    )
    kept = embeddings.KeptEmbeddings()
    for _ in range(2):
        for d, seed in [(4, 0), (4, 1), (4, 2), (4, 0), (8, 0)]:
            path = tmp_path / f"{d}.nc"
            for found, wanted in zip(kept.load(path, seed), draw(path, seed), strict=True):
                np.testing.assert_array_equal(found, wanted)
    assert drawn == [(f"{d}", s) for d, s in [(4, 0), (4, 1), (4, 2), (8, 0)]] * 2
