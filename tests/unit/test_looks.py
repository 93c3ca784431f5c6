"""How optimizers look in figures: the same in all, and no reason to run anything but those."""

import copy

from spectral_capacity.config.looks import looks
from spectral_capacity.config.parse import parse
from tests.unit.configurations import DEFAULT, ROOT, cells, transformers


def test_how_an_optimizer_looks_decides_no_result():
    given = copy.deepcopy(DEFAULT)
    given["optimizers"]["muon"] |= {"label": "Muon, exact", "colour": "crimson"}
    config, before = parse(given, root=ROOT), parse(DEFAULT, root=ROOT)
    for name, experiment in config.experiments.items():
        old = before.experiments[name]
        assert experiment.grid_settings(name, config.shared) == old.grid_settings(
            name, before.shared
        )
        settings = [cell.settings() for cell in cells(config, name)]
        assert settings == [cell.settings() for cell in cells(before, name)]
    assert looks(config)["muon"] == {"colour": "crimson", "label": "Muon, exact", "place": 1}


def test_optimizers_of_one_experiment_look_different_and_others_move_nobody():
    config = parse(DEFAULT, root=ROOT)
    before = looks(config)
    for experiment in config.experiments.values():
        places = [before[name]["place"] for name in experiment.optimizers]
        assert len(set(places)) == len(places)
    assert before["gd"]["place"] == 0
    assert before["muon"]["place"] == before["muon_slow"]["place"] == 1
    given = copy.deepcopy(DEFAULT)
    given["experiments"]["mine"] = DEFAULT["experiments"]["one_step"] | {
        "optimizers": ["gd", "gd_growing"]
    }
    met = looks(parse(given, root=ROOT))
    assert met["gd_growing"]["place"] != met["gd"]["place"] == before["gd"]["place"]
    assert met["muon"] == before["muon"]
    given = copy.deepcopy(DEFAULT)
    given["optimizers"]["mine"] = {"rule": "sign", "label": "costs $5"}  # one dollar is text
    given["experiments"]["mine"] = DEFAULT["experiments"]["one_step"] | {
        "optimizers": ["mine", "gd", "muon"]
    }
    after = looks(parse(given, root=ROOT))
    assert {name: after[name] for name in before} == before
    assert after["mine"]["place"] not in {0, 1}


def test_optimizers_of_transformers_look_as_those_of_memories():
    found = looks(parse(transformers(), root=ROOT))
    assert found["our_muon"]["place"] == found["muon"]["place"]
    assert found["sgd"]["place"] == found["gd"]["place"]
    assert found["adamw"]["place"] not in {0, 1, 2}
