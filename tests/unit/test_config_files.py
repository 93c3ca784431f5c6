"""Configurations as files: laid over each other, and checked from the command line."""

import pytest
import yaml
from snakemake.utils import update_config

from spectral_capacity.config.__main__ import main
from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.parse import merged as merged_files


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
    with pytest.raises(ConfigError, match=r"(?s)mine\.yaml is no YAML: .*line 3, column 8"):
        merged_files([path])


def test_a_configuration_is_checked_without_a_run(tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    path.write_text("experiments: {one_step: {d: [1]}}")
    with pytest.raises(SystemExit, match=r"experiments\.one_step\.d\[0\]: 1: must be greater"):
        main(["check", str(path)])
    path.write_text("only: [loss]")
    main(["check", str(path)])
    assert capsys.readouterr().out == "fine: loss\n"
