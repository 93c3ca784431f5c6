"""The kind: its cells, their names, settings and cost; and what of a configuration cannot be."""

import itertools
import json

import pytest
from pydantic import TypeAdapter

from spectral_capacity.backend import jax, jnp
from spectral_capacity.incontext.cell import train_cell, write_cell
from spectral_capacity.incontext.model import Architecture, Transformer, initialise
from spectral_capacity.incontext.task import Laws, Task, draw
from spectral_capacity.incontext.training import loss
from spectral_capacity.kinds.experiment import Shared
from spectral_capacity.kinds.incontext import InContextExperiment
from spectral_capacity.kinds.optimizers import optimizer_model
from spectral_capacity.results.netcdf import open_netcdf, read_values

OPTIMIZERS = {
    name: TypeAdapter(optimizer_model(tuple(InContextExperiment.rules.items()))).validate_python(
        given
    )
    for name, given in {
        "plain": {"rule": "sgd"},
        "adamw": {"rule": "adamw"},
        "muon": {"rule": "muon", "iterations": 3},
    }.items()
}
SHARED = Shared(seed=0, seeds_per_job=2, store="keys", optimizers=OPTIMIZERS, fits={})
GIVEN = {
    "kind": "incontext",
    "optimizers": ["plain", "adamw", "muon"],
    "seeds": 3,
    "vocabulary": 6,
    "length": 12,
    "pairs": 2,
    "exponents": [[0, 0], [1.5, 0]],
    "d": [8, 12],
    "batch_size": [4, 8],
    "iterations": [3, 1],
    "learning_rates": {"plain": [0.1], "adamw": [0.01, 0.003], "muon": [0.01]},
    "held_out": 128,
}


def experiment(**changes):
    return InContextExperiment.model_validate(GIVEN | changes)


def cells(shared=SHARED, **changes):
    return list(experiment(**changes).cells("e", shared))


def test_cells_cover_the_grid_each_with_a_name_of_its_own():
    found = cells()
    assert len(found) == 3 * 2 * 2 * 2 * 2
    assert len({cell.name for cell in found}) == len(found)
    covered = {
        (
            c["name"],
            c["alpha_triggers"],
            c["alpha_outputs"],
            c["architecture"]["d"],
            c["batch_size"],
            s,
        )
        for c in (cell.settings() for cell in found)
        for s in c["seeds"]
    }
    e = experiment()
    assert covered == {
        (o, float(t), float(u), d, b, s)
        for o, (t, u), d, b, s in itertools.product(
            e.optimizers, e.exponents, e.d, e.batch_size, range(3)
        )
    }


def test_coordinates_are_those_of_the_schema_in_its_order():
    e = experiment()
    coordinates = e.coordinates(SHARED)
    assert list(coordinates) == list(e.schema.dimensions)
    assert coordinates["iteration"] == [1, 3]
    assert coordinates["learning_rate"] == [0.003, 0.01, 0.1]


def test_settings_are_plain_and_hold_all_that_decides_and_nothing_else():
    settings = cells()[0].settings()
    assert json.loads(json.dumps(settings)) == settings
    assert list(settings) == sorted(settings)
    # What another cell takes is not among them.
    wider = cells(d=[8, 12, 20], learning_rates=GIVEN["learning_rates"] | {"muon": [1.0]})
    assert wider[0].settings() == settings
    changes = [
        {"vocabulary": 7},
        {"length": 13},
        {"pairs": 3},
        {"fixed_triggers": True},
        {"iterations": [1]},
        {"held_out": 256},
        {"gradient_spectrum": True},
        {"noise": {"alpha": 1.0}},
        {"learning_rates": GIVEN["learning_rates"] | {"plain": [0.2]}},
        {"model": {"normalise": False}},
        {"model": {"feed_forward": [1, 2]}},
        {"model": {"tied": True}},
        {"model": {"identity": ["query_1"]}},
        {"model": {"frozen": ["embedding"]}},
    ]
    others = [json.dumps(cells(**change)[0].settings()) for change in changes]
    assert len({*others, json.dumps(settings)}) == len(changes) + 1


def test_what_cannot_be_is_told_with_its_key():
    told = {
        ("seeds",): {"seeds": 1},
        ("length",): {"length": 7},
        ("pairs",): {"pairs": 7, "length": 28},
        ("learning_rates",): {"learning_rates": {"plain": [0.1], "adamw": [0.1]}},
        ("learning_rates", "other"): {"learning_rates": GIVEN["learning_rates"] | {"other": [1.0]}},
        ("exponents",): {"exponents": [[0, 0], [0.0, 0.0]]},
    }
    assert not [*experiment().problems(SHARED)]
    for key, change in told.items():
        assert [at for at, _ in experiment(**change).problems(SHARED)] == [key]


def test_cost_grows_with_all_that_makes_work():
    cost = cells()[0].cost()
    assert cost.float32 > 0
    for change in (
        {"d": [80]},
        {"batch_size": [40]},
        {"length": 120},
        {"vocabulary": 60},
        {"iterations": [30]},
        {"held_out": 1280},
        {"learning_rates": GIVEN["learning_rates"] | {"plain": [0.1, 0.2]}},
        {"model": {"feed_forward": [1]}},
    ):
        assert cells(**change)[0].cost().float32 > cost.float32, change
    for change in ({"d": [80]}, {"batch_size": [40]}, {"length": 120}):
        assert cells(**change)[0].cost().bytes > cost.bytes, change


@pytest.mark.parametrize("model", [{}, {"feed_forward": [1, 2]}, {"tied": True}])
def test_the_cost_of_a_sequence_is_that_of_the_gradients_program(model):
    """XLA counts what is done to single numbers as well, of which there is little at this width."""
    shape = {"vocabulary": 16, "length": 24, "pairs": 3, "d": [64], "model": model}
    small, large = (
        next(c for c in cells(batch_size=[size], iterations=[1], **shape) if len(c.seeds) == 2)
        for size in (8, 16)
    )
    counted = (large.cost().float32 - small.cost().float32) / 2  # two runs
    assert 1 < (flops(large) - flops(small)) / counted < 1.3


def flops(cell):
    """Of the loss and its gradient, as handed to the compiler."""
    architecture = Architecture(
        **{
            k: tuple(v) if isinstance(v, list) else v
            for k, v in cell.settings()["architecture"].items()
        }
    )
    task = Task(**cell.settings()["task"])
    p = jnp.full(task.vocabulary, 1 / task.vocabulary)
    given = jax.eval_shape(
        lambda key: (
            initialise(key, architecture).parameters,
            draw(key, task, Laws(p, p, p), cell.batch_size),
        ),
        jax.random.key(0),
    )

    def of(parameters, sequences):
        return loss(Transformer(parameters, architecture), sequences)

    return jax.jit(jax.grad(of)).lower(*given).cost_analysis()["flops"]


def test_an_update_of_muon_has_three_products_of_each_matrix_that_it_moves_at_every_iteration():
    d = 8

    def of(optimizer, **model):
        (cell, _) = cells(
            optimizers=[optimizer],
            d=[d],
            batch_size=[4],
            exponents=[[0, 0]],
            iterations=[7],
            model=model,
        )
        rates = len(GIVEN["learning_rates"][optimizer])
        return cell.cost().float32 / rates

    each = 2 * 2 * 7 * 3 * 3 * d**3  # of 2 operations: seeds, updates, iterations, products
    for moved, model in (
        (8, {}),
        (6, {"identity": ["query_1"], "frozen": ["key_2", "embedding"]}),
    ):
        assert of("muon", **model) - of("adamw", **model) == pytest.approx(moved * each)


@pytest.mark.slow
def test_a_cell_of_the_configuration_is_trained_and_written(tmp_path):
    (cell,) = cells(
        SHARED,
        optimizers=["plain"],
        learning_rates={"plain": [0.01]},
        exponents=[[1, 0]],
        d=[8],
        batch_size=[4],
        seeds=2,
        gradient_spectrum=True,
        model={"feed_forward": [2], "tied": True, "frozen": ["embedding"]},
    )
    settings = cell.settings()
    results = train_cell(settings)
    write_cell(tmp_path / "c.nc", settings, results, {"configuration": settings})
    with open_netcdf(tmp_path / "c.nc") as file:
        values = read_values(file)
    for name, measured in results.items():
        assert (values[name].reshape(measured.shape) == measured).all(), name
    assert list(values["iteration"]) == [1, 3]
