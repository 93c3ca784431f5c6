"""What names, paths, numbers and sizes of a configuration may be."""

import re

import pytest
from pydantic import BaseModel

from spectral_capacity.config.messages import ConfigError
from spectral_capacity.config.model import config_model
from spectral_capacity.config.parse import parse
from spectral_capacity.results.plain_yaml import MOST_DEEP, MOST_VALUES
from tests.unit.configurations import DEFAULT, ROOT, change, only, problem_of, small

NAMES = {
    "../x": "'../x': must match pattern",
    "a/b": "'a/b': must match pattern",
    "a b": "'a b': must match pattern",
    "a'\"b": "must match pattern",
    "$(touch x)": "'$(touch x)': must match pattern",
    "a\n": r"'a\n': must match pattern",
    "a\0": r"'a\x00': has the character '\x00', which no text here can have",
    "a\ud800": r"'a\ud800': has the character '\ud800'",
    "é": "'é': must match pattern",
    "1a": "'1a': must match pattern",
    "": "'': must match pattern",
    "x" * 65: "must match pattern",
    "x" * 300: "must match pattern",
    "x" * 2000: "has 2,000 characters; at most 1,000 are allowed",
}


def named(section, name, value):
    return DEFAULT | {section: DEFAULT[section] | {name: value}}


CHANGES = {
    "an optimizer": lambda name: named("optimizers", name, {"rule": "gradient"}),
    "an experiment": lambda name: named("experiments", name, DEFAULT["experiments"]["loss"]),
    "a figure": lambda name: named("figures", name, {"draw": "fig2", "experiment": "one_step"}),
    "what is shown": lambda name: change("figures.fig2", name),
    "what is shown in full": lambda name: change("figures.fig2", {"experiment": name}),
    "only": lambda name: change("only", [name]),
    "what is trained": lambda name: change("experiments.loss.optimizers", ["gd", name]),
}


@pytest.mark.parametrize("place", CHANGES)
@pytest.mark.parametrize(("name", "message"), NAMES.items(), ids=map(ascii, NAMES))
def test_a_name_that_becomes_part_of_a_path_is_letters_digits_and_underscores(place, name, message):
    with pytest.raises(ConfigError) as error:
        parse(CHANGES[place](name), root=ROOT)
    (problem,) = error.value.problems
    assert message in problem
    assert problem.isprintable()


def test_the_longest_name_is_allowed():
    name = "x" * 64
    parse(named("experiments", name, DEFAULT["experiments"]["loss"]), root=ROOT)


PATHS = {
    "a\0b": r"has the character '\x00'",
    "a\nb": r"a path cannot have '\n' in it",
    "a\tb": r"a path cannot have '\t' in it",
    "a\\b": r"a path cannot have '\\' in it",  # NetCDF writes another file
    "<x>": "a path cannot have '<', '>' in it",  # Snakemake asks what x is
    "https://x/y": "must be a path on this system, no address",  # NetCDF asks the network
    "x" * 256: "a path can have 1000 bytes, and 255 from one / to the next",
    "é" * 128: "a path can have 1000 bytes, and 255 from one / to the next",
    "é/" * 400: "a path can have 1000 bytes",
    "": "must have at least 1 character",
    "a\ud800": r"has the character '\ud800'",
}
KEYS = (
    "results",
    "claims",
    "figures.style",
    "experiments.real_words.frequencies.file",
    "experiments.one_step.embeddings",
    "optimizers.soft_10.map",
)


def at(key, path):
    if key.endswith("embeddings"):
        return {"file": path}
    return {"name": "own", "file": path, "function": "h"} if key.endswith("map") else path


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("path", "message"), PATHS.items(), ids=lambda p: ascii(p)[:20])
def test_a_path_that_no_system_has_is_told(key, path, message):
    problem = problem_of(key, at(key, path))
    assert message in problem
    assert problem.startswith(key)


@pytest.mark.parametrize("key", KEYS[1:])
@pytest.mark.parametrize(
    "path", ["no/such/file", "x" * 255, "a b $(c) 'd", "/", "README.md/x", "~"]
)
def test_a_path_of_no_file_is_told(key, path):
    assert problem_of(key, at(key, path)).startswith(key)


@pytest.mark.parametrize(
    "results",
    [
        "a b",
        "it's",
        "$(x)",
        "#x",
        "é",
        "../up",
        "/tmp/x y",
        "-r",
        "a*?[b]",
        "100%",
        "a;b|c&d",
        "~x",
    ],
)
def test_a_folder_of_results_may_have_any_other_characters(results):
    assert parse(change("results", results), root=ROOT).results == results


@pytest.mark.parametrize("key", ["results", "claims", "figures.style"])
def test_braces_are_wildcards_to_snakemake(key):
    assert problem_of(key, "a{b}").startswith(f"{key}: 'a{{b}}': must match pattern")


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("x" * 101, "must have at most 100 characters"),
        ("x" * 3000, "has 3,000 characters; at most 1,000 are allowed"),
        ("a\0", "has the character"),
        ("$" + "{" * 49 + "}" * 49 + "$", "Matplotlib does not read what is between the $"),
    ],
)
def test_a_label_is_text_that_a_figure_can_have(label, message):
    assert message in problem_of("optimizers.muon.label", label)


HUGE = 16**5000
"""Of so many digits that Python does not write them."""


@pytest.mark.parametrize(
    "path",
    ["seed", "experiments.loss.seeds", "experiments.loss.alpha", "optimizers.power_half.map"],
)
@pytest.mark.parametrize("number", [HUGE, -HUGE, 2**63], ids=["huge", "-huge", "64 bits"])
def test_a_number_of_more_than_64_bits_is_told(path, number):
    value = {"alpha": [number], "map": {"name": "power", "exponent": number}}
    problem = problem_of(path, value.get(path.split(".")[-1], number))
    assert problem.startswith(path)
    assert problem.endswith("must be less than 2^63, 19 digits, in size")


def test_a_key_that_is_no_text_is_told():
    for key in (1, None, True, 1.5, HUGE, (1, 2)):
        with pytest.raises(ConfigError) as error:
            parse(named("experiments", key, None), root=ROOT)
        (problem,) = error.value.problems
        assert re.fullmatch(r"experiments: the key .* must be text: write it in quotes", problem)


def cell_names(**axes):
    config = small(**axes)
    experiment = config.experiments["one_step"]
    return [cell.name for cell in experiment.cells("one_step", config.shared)]


def test_numbers_in_the_names_of_files_are_the_numbers():
    """The pattern is that of the workflow's wildcards."""
    numbers = [5e-324, 1e-320, 1e-5, 0.1, 0.1 + 2**-56, 1.5, 2, 1e16, 1.7976931348623157e308]
    names = cell_names(alpha=numbers, kappa=[0, 1e-310, 1e300])
    assert len({*names}) == len(names) == len(numbers) * 3 * 2
    constraint = re.search(r'bundle="(.*)"', (ROOT / "workflow/rules/common.smk").read_text())[1]
    for name in names:
        assert re.fullmatch(constraint, name)
        assert len(f".{name}.nc.{'h' * 64}.4194304.tmp") + 64 - len("muon") <= 255
    found = [float(re.search("alpha(.*)_kappa", name)[1]) for name in names]
    assert {*found} == {*numbers}


def test_a_whole_number_is_the_same_cell_as_its_float():
    assert cell_names(alpha=[2], kappa=[0]) == cell_names(alpha=[2.0], kappa=[-0.0])
    for repeated in ([2, 2.0], [2**60, 2**60 + 1]):
        assert "each value once" in problem_of("experiments.loss.alpha", repeated)
    assert "each value once" in problem_of("experiments.loss.kappa", [0.0, -0.0])


def deep(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


def itself():
    value = {}
    value["again"] = [value]
    return value


def laughs():
    value = ["x"] * 10
    for _ in range(12):
        value = [value] * 10
    return value


ENDLESS = {
    "deep": (lambda: deep(100_000), f"more than {MOST_DEEP} lists and mappings"),
    "itself": (itself, f"more than {MOST_DEEP} lists and mappings"),
    "laughs": (laughs, f"there are more than {MOST_VALUES:,} keys and values"),
    "list": (lambda: ["x"] * 10**6, f"there are more than {MOST_VALUES:,} keys and values"),
    "mapping": (lambda: dict.fromkeys(range(10**6), 0), f"more than {MOST_VALUES:,} keys"),
}
PLACES = ["seed", "experiments.one_step.d", "optimizers.x", "figures.x"]


@pytest.mark.parametrize(
    ("path", "value"),
    # It is looked for before it is known what a key means: each once, and one of them everywhere.
    [*zip(PLACES, ["laughs", "list", "mapping", "itself"], strict=True)]
    + [(path, "deep") for path in PLACES],
)
def test_what_has_no_end_is_told_at_once(path, value):
    make, message = ENDLESS[value]
    assert message in problem_of(path, make())


@pytest.mark.parametrize(
    "change",
    [
        {f"key{i}": 1 for i in range(5000)},
        {"figures": {f"key{i}": 1 for i in range(5000)}},
        {"only": [f"key{i}" for i in range(5000)]},
        {"optimizers": {f"key{i}": {"rule": "sing"} for i in range(900)}},
    ],
    ids=["keys", "figures", "only", "optimizers"],
)
def test_of_thousands_of_problems_the_first_hundred_are_told(monkeypatch, change):
    """The schema, which knows what is near to an unknown key, is made once and not for each."""
    made = []
    make = BaseModel.model_json_schema.__func__
    counted = classmethod(
        lambda cls, *given, **named: made.append(cls) or make(cls, *given, **named)
    )
    monkeypatch.setattr(BaseModel, "model_json_schema", counted)
    with pytest.raises(ConfigError) as error:
        parse(only(DEFAULT, "one_step") | change, root=ROOT)
    assert len(error.value.problems) == 101
    assert error.value.problems[-1].startswith("…: there are more")
    assert made.count(config_model()) <= 1


def test_optimizers_and_experiments_have_a_number():
    many = {f"o{i}": {"rule": "gradient"} for i in range(1001)}
    assert problem_of("optimizers", DEFAULT["optimizers"] | many).startswith(
        "optimizers: must have"
    )
    many = {f"e{i}": DEFAULT["experiments"]["loss"] for i in range(1001)}
    problem = problem_of("experiments", DEFAULT["experiments"] | many)
    assert problem.startswith("experiments: must have at most 1000 items")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("figures.style", "cannot be read ('utf-8' codec can't decode byte 0xff"),
        ("claims", "cannot be read as YAML: 'utf-8' codec can't decode byte 0xff"),
        ("experiments.real_words.frequencies.file", "not UTF-8 text"),
        ("experiments.one_step.embeddings", "is no NetCDF file"),
        ("optimizers.soft_10.map", "is not Python"),
    ],
)
def test_bytes_that_are_no_such_file_are_told_in_one_line(tmp_path, key, message):
    path = tmp_path / "any"
    path.write_bytes(b"count\n\xff\xfe\0\n")
    problem = problem_of(key, at(key, str(path)))
    assert problem.startswith(key)
    assert message in problem
    assert str(path) in problem


def test_claims_that_are_no_yaml_are_told_in_one_line():
    problem = problem_of("claims", "README.md")
    assert "README.md cannot be read as YAML" in problem
    assert problem.isprintable()
