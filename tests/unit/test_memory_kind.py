"""The linear memory as a kind of experiment: its cells, their settings and files."""

import hashlib

import numpy as np

from spectral_capacity.config.parse import parse
from spectral_capacity.kinds.experiment import seed_blocks
from spectral_capacity.kinds.optimizers import numeric_options, spectral_map, theory_of
from spectral_capacity.memory.measured import SWEPT_SCHEMA
from spectral_capacity.results.schema import RATE_FACTOR
from spectral_capacity.sampling.frequencies import from_counts, read_counts
from tests.unit.configurations import DEFAULT, ROOT, cells, change, coordinates

E = "experiments.one_step"


def test_cells_cover_the_grid_and_have_their_own_files():
    config = parse(change(f"{E}.seeds", 6), root=ROOT)
    all_cells = cells(config, "one_step")
    assert len(all_cells) == 2 * 5 * 5 * 2
    assert len({cell.name for cell in all_cells}) == len(all_cells)
    assert {cell.seeds for cell in all_cells} == {(0, 1, 2, 3), (4, 5)}
    assert coordinates(config, "one_step")["seed"] == list(range(6))
    assert len({file for cell in all_cells for file in cell.draws()}) == 5 * 2


def test_coordinates_are_those_of_the_schema_in_its_order():
    config = parse(DEFAULT, root=ROOT)
    for name, experiment in config.experiments.items():
        found = [dim for dim in coordinates(config, name) if dim != RATE_FACTOR]
        assert found == list(experiment.schema.dimensions)
    assert list(coordinates(config, "loss_rates")) == list(SWEPT_SCHEMA.dimensions)


def test_experiments_share_their_embeddings():
    config = parse(DEFAULT, root=ROOT)
    names = [
        {file.name for cell in cells(config, experiment) for file in cell.draws()}
        for experiment in ("one_step", "minibatch", "anisotropy", "real_words")
    ]
    assert names[0] >= names[1]  # N = 100,000
    assert names[2] == names[3]  # N = 50,000


def test_batches_are_inside_a_cell_and_infinite_for_the_population():
    config = parse(change(f"{E}.batch_size", [16, "population"]), root=ROOT)
    assert len(cells(config, "one_step")) == 50
    assert cells(config, "one_step")[0].settings()["batch_sizes"] == [16.0, np.inf]
    assert coordinates(config, "one_step")["batch_size"] == [16.0, np.inf]


def test_a_table_gives_its_tail_as_alpha_and_its_digest_to_the_cells():
    config = parse(DEFAULT, root=ROOT)
    (alpha,) = coordinates(config, "real_words")["alpha"]
    assert 1.4 < alpha < 1.7
    cell = cells(config, "real_words")[0]
    assert cell.alpha == alpha
    digest = cell.settings()["frequencies"]
    p = from_counts(read_counts(ROOT / "data/english_words.csv"), 50_000)
    assert digest == hashlib.sha256(p.tobytes()).hexdigest()
    assert cells(config, "one_step")[0].settings()["frequencies"] is None


def test_what_a_sweep_varies():
    optimizers = parse(DEFAULT, root=ROOT).optimizers
    assert numeric_options(optimizers["jordan_5"]) == {"iterations": 5.0, "safety": 1.0}
    assert numeric_options(optimizers["newton"]) == {"ridge": 1e-8}
    assert numeric_options(optimizers["muon"]) == {}


def test_close_floats_have_different_files():
    config = parse(change(f"{E}.alpha", [1.5, float(np.nextafter(1.5, 2))]), root=ROOT)
    assert len({cell.name for cell in cells(config, "one_step")}) == 2 * 2 * 5


def test_more_seeds_only_add_blocks():
    assert seed_blocks(4, 4) == [(0, 1, 2, 3)]
    assert seed_blocks(8, 4)[:1] == seed_blocks(4, 4)


def test_settings_are_plain_sorted_and_independent_of_what_does_not_matter():
    config = parse(DEFAULT, root=ROOT)
    cell = cells(config, "one_step")[-1]
    settings = cell.settings()
    assert list(settings) == sorted(settings)
    assert list(settings["optimizer"]) == sorted(settings["optimizer"])
    given = change("device", "cpu")
    given["results"] = "elsewhere"
    given["experiments"]["one_step"]["alpha"].append(4.0)
    other = parse(given, root=ROOT)
    assert repr(settings) == repr(
        next(c for c in cells(other, "one_step") if c.name == cell.name).settings()
    )


def test_what_remembers_earlier_gradients_has_no_prediction():
    """Predictions know a map of each gradient alone."""
    polar = DEFAULT["optimizers"]["muon"]
    for more, known in (({}, True), ({"momentum": 0.9}, False), ({"weight_decay": 0.1}, False)):
        optimizer = parse(change("optimizers.mine", polar | more), root=ROOT).optimizers["mine"]
        assert (spectral_map(optimizer) is not None) == known
        assert (theory_of(optimizer) == "muon") == known
