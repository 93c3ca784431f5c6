"""Configurations as files: laid over each other, and checked from the command line."""

import pytest
import yaml
from snakemake.utils import update_config

from spectral_capacity.analysis.claims_file import read_claims
from spectral_capacity.config.__main__ import main
from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import merged as merged_files
from spectral_capacity.config.parse import parse
from tests.unit.configurations import DEFAULT, ROOT

FIGURES = DEFAULT["figures"].keys() - {"formats", "finite_size", "style"}


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_configuration_can_run_and_its_claims_are_about_it(path):
    config = parse(merged_files([ROOT / "config/config.yaml", path]), root=ROOT)
    assert all(experiment.optimizers for experiment in config.experiments.values())
    if config.claims == "data/claims.yaml":
        return
    drawn = config.figures.drawn()
    for claim in read_claims(ROOT / config.claims):
        if claim.experiment not in config.experiments:
            continue
        optimizers = config.experiments[claim.experiment].optimizers
        assert {name for names in claim.roles.values() for name in names} <= {*optimizers}, claim.id
        assert claim.figure in drawn, claim.id
        assert claim.experiment in drawn[claim.figure].experiments.values(), claim.id


def test_files_are_laid_over_each_other_as_snakemake_does(tmp_path):
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    paths[0].write_text("a: {b: 1, c: [1, 2]}\nd: x\n")
    paths[1].write_text("a: {c: [3], e: null}\nd: {f: 2}\n")
    expected = yaml.safe_load(paths[0].read_text())
    update_config(expected, yaml.safe_load(paths[1].read_text()))
    assert merged_files(paths) == expected == {"a": {"b": 1, "c": [3], "e": None}, "d": {"f": 2}}


def test_broken_yaml_is_told_with_its_file_and_line(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("experiments:\n  mine: {n_items: 100\n  other: [1, 2\n")
    with pytest.raises(
        ConfigError, match=r"(?s)mine\.yaml cannot be read as YAML: .*line 3, column 8"
    ):
        merged_files([path])


def test_a_key_that_is_there_twice_is_told_with_its_line(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("experiments:\n  a: {seeds: 1}\nseed: 0\nexperiments:\n  b: {seeds: 2}\n")
    with pytest.raises(ConfigError, match=r"(?s)'experiments' is there twice: .*line 4, column 1"):
        merged_files([path])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("experiments: {one_stp: null}", r"experiments\.one_stp: null .*did you mean one_step\?"),
        ("figures: {fg2: null}", r"figures\.fg2: null drops it, and there is none to drop"),
    ],
)
def test_a_null_that_drops_nothing_is_told(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        merged_files([ROOT / "config/config.yaml", path])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("figures:", "figures: None: must be a mapping of keys"),
        ("experiments: [mine]", "experiments: must be a mapping of keys"),
        ("only: loss", "only: 'loss': must be a valid list"),
        ("? [a, b]\n: 1", r"(?s)mine\.yaml cannot be read as YAML: .*line 1, column 3"),
        ("a\nb", r"mine\.yaml: must be a mapping of keys"),
    ],
)
def test_a_file_of_another_shape_is_told(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        parse(merged_files([ROOT / "config/config.yaml", path]), root=ROOT)


def test_a_later_file_drops_what_an_earlier_one_has(tmp_path):
    layers = {
        "a.yaml": "figures: {mine: {draw: fig2, experiment: one_step}}",
        "b.yaml": "figures: {mine: null, fig2: null}\nexperiments: {loss: null}",
    }
    for name, text in layers.items():
        (tmp_path / name).write_text(text)
    files = [ROOT / "config/config.yaml", *(tmp_path / name for name in layers)]
    config = parse(merged_files(files), root=ROOT)
    assert not {"mine", "fig2"} & config.drawn(config.selected).keys()
    assert "loss" not in config.selected


def test_a_configuration_is_checked_without_a_run(tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    path.write_text("experiments: {one_step: {d: [1]}}")
    with pytest.raises(SystemExit, match=r"experiments\.one_step\.d\[0\]: 1: must be greater"):
        main(["check", str(path)])
    path.write_text("only: [loss]")
    main(["check", str(path)])
    assert capsys.readouterr().out == (
        "experiments: loss\nfigures: loss\nnot drawn, since what they show is not run: "
        + ", ".join(sorted(name for name in FIGURES if name != "loss"))
        + "\n"
    )
