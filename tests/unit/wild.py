"""Strategies for what nobody means to write: values, changes of configurations, texts."""

import copy
import datetime

from hypothesis import strategies as st

NAMES = ("gd", "muon", "newton", "one_step", "minibatch", "mine", "fig2", "all", "plot_x", "x" * 64)
PATHS = (
    "data/english_words.csv",
    "data/claims.yaml",
    "config/figures.mplstyle",
    "results",
    "../up",
    "/",
    ".",
    "https://x/y",
    "a\\b<c>",
    "no such file",
    "d{d}.nc",
    "README.md",
)
TEXTS = (
    "",
    "population",
    "theory",
    "null",
    "true",
    "1e-3",
    "../x",
    "a b",
    "a'b\"c",
    "$(touch x)",
    "a\n",
    "a\0b",
    "\ud800",
    "é",
    "{}",
    "{0.__class__}",
    "%s",
    "x" * 65,
    "x" * 300,
    "x" * 5000,
    "$x_$",
    "$" + "{" * 48 + "}" * 48 + "$",
    "NaN",
)
NUMBERS = (0, 1, 2, 3, -1, 16, 999, 10**5, 2**31, 2**63 - 1, 2**63, -(2**63), 10**400, 10**4000)
FLOATS = (0.0, -0.0, 0.5, 1.0, 1.5, 5e-324, 1e-320, 1e-3, 1e16, 1e308, -1.0)
OTHERS = (
    None,
    True,
    False,
    float("nan"),
    float("inf"),
    float("-inf"),
    datetime.date(2026, 1, 1),
    datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    b"bytes",
    frozenset({1}),
    (1, 2),
    1j,
)

texts = (
    st.sampled_from(NAMES) | st.sampled_from(PATHS) | st.sampled_from(TEXTS) | st.text(max_size=20)
)
atoms = (
    texts
    | st.sampled_from(NUMBERS)
    | st.integers()
    | st.sampled_from(FLOATS)
    | st.floats()
    | st.sampled_from(OTHERS)
)
values = st.recursive(
    atoms,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(texts, inside, max_size=4),
    max_leaves=8,
)
keys = texts | st.integers() | st.sampled_from((None, True, 1.5, (1, 2), datetime.date(2026, 1, 1)))


def own_map(gradient, context, *, a=1.0):
    """A map of a user's own, that is named and not run."""


def places(node):
    """Every (container, key) of a tree of mappings and lists."""
    inside = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in inside:
        yield node, key
        if isinstance(value, dict | list):
            yield from places(value)


WAYS = ("replace", "replace", "leave out", "add", "swap", "repeat")


def _near(value):
    """Values that might stand in place of another."""
    match value:
        case bool():
            return st.booleans()
        case int():
            return st.sampled_from((1, 2, 3, 8, 100, 500, 2001, 10_000))
        case float():
            return st.sampled_from((5e-324, 0.25, 0.5, 1.0, 1.5, 2, 100.0, 1e308))
        case list() if value:
            return st.lists(_near(value[0]) | st.sampled_from(value), min_size=1, unique_by=repr)
        case str():
            return st.sampled_from((*NAMES, value))
    return values


@st.composite
def changed(draw, base, most=4):
    """``base`` with a few values replaced, left out, added, swapped or repeated."""
    tree = copy.deepcopy(base)
    for _ in range(draw(st.integers(1, most))):
        there = [*places(tree)]
        if not there:
            break
        node, key = draw(st.sampled_from(there))
        match draw(st.sampled_from(("near", "near", "near", *WAYS))):
            case "near":
                node[key] = draw(_near(node[key]))
            case "replace":
                node[key] = draw(values)
            case "leave out":
                del node[key]
            case "add" if isinstance(node, dict):
                node[draw(keys)] = draw(values)
            case "add":
                node.insert(key, draw(values))
            case "swap":
                other, where = draw(st.sampled_from(there))
                node[key], other[where] = copy.deepcopy((other[where], node[key]))
            case "repeat" if isinstance(node[key], list):
                node[key] = node[key] * draw(st.sampled_from((2, 3, 5000, 150_000)))
            case "repeat" if isinstance(node, dict):
                node[f"{key}_2"] = copy.deepcopy(node[key])
    return tree


def of_schema(schema):
    """Values that a JSON schema allows, with what it does not say of a configuration mended in most."""
    definitions = schema["$defs"]

    def of(node, key=""):
        return _of_node(node, key, of, definitions)

    whole = of(schema)
    return (
        whole.map(_mended) | whole.map(_mended).flatmap(lambda tree: changed(tree, most=1)) | whole
    )


TRANSFORMER = {"vocabulary": 50, "length": 64, "pairs": 4, "seeds": 2, "held_out": 128, "noise": {}}
TRANSFORMER |= {"optimizers": ["transformer"], "learning_rates": {"transformer": [0.01]}}
TRANSFORMER["exponents"] = [[0.5, 1.5]]


def _mended(tree):
    """Names that are used are there; a grid has an α and memories smaller than their items."""
    rule, mine = {"rule": "gradient"}, {"n_items": 2000, "d": [8], "optimizers": ["gd"]}
    tree["optimizers"] = dict.fromkeys(NAMES[:6], rule) | tree["optimizers"]
    tree["optimizers"]["transformer"] = {"rule": "adamw"}
    tree["experiments"] = dict.fromkeys(NAMES[:6], mine) | tree["experiments"]
    for name, experiment in tree["experiments"].items():
        if experiment.get("kind") == "incontext":
            tree["experiments"][name] = experiment | TRANSFORMER
            continue
        exponents = (
            {} if experiment.get("frequencies") else {"alpha": experiment.get("alpha") or [1.5]}
        )
        few = {"n_items": max(experiment["n_items"], 500), "embeddings": None, "early_stop": None}
        small = {"d": [min(d, 100 + d % 300) for d in experiment["d"]]}
        tree["experiments"][name] = experiment | exponents | few | small
    for optimizer in tree["optimizers"].values():
        optimizer.pop("colour", None)
    figures = tree.pop("figures", None) or {}
    shown = {"finite_size": figures.get("finite_size", True), "curves": figures.get("curves")}
    tree["figures"] = dict.fromkeys(("fig1b", "fig3")) | shown
    return {key: value for key, value in tree.items() if key not in ("claims", "only")}


def _of_node(node, key, of, definitions):
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[-1]
        return st.deferred(lambda: _of_node(definitions[name], key, of, definitions))
    if options := node.get("anyOf") or node.get("oneOf"):
        return st.one_of(*(_of_node(option, key, of, definitions) for option in options))
    if "const" in node:
        return st.just(node["const"])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    match node.get("type"):
        case "object":
            return _of_object(node, of)
        case "array":
            return st.lists(of(node["items"], key), min_size=1, max_size=3, unique_by=repr)
        case "string":
            paths = {"file", "style", "claims", "results"}
            return st.sampled_from(PATHS if key in paths else NAMES[:6])
        case "integer":
            low, high = node.get("minimum", -5), node.get("maximum", 10**6)
            return st.integers(low, min(high, low + 40)) | st.just(high)
        case "number":
            low = node.get("minimum", node.get("exclusiveMinimum", -5))
            numbers = [low + step for step in (5e-324, 1e-3, 0.25, 0.5, 1.5)]
            return st.sampled_from([*numbers, node.get("maximum", 1e308)])
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    return values


def _of_object(node, of):
    fields = {name: of(field, name) for name, field in node.get("properties", {}).items()}
    required = {name: fields.pop(name) for name in node.get("required", ())}
    known = st.fixed_dictionaries(required, optional=fields)
    inside = next(iter(node.get("patternProperties", {}).values()), None)
    inside = inside or node.get("additionalProperties")
    if not isinstance(inside, dict):
        return known
    own = st.dictionaries(st.sampled_from(NAMES[:6]), of(inside, "own"), min_size=1, max_size=4)
    return st.builds(lambda one, other: one | other, known, own)


BITS = (
    *(
        "\n",
        "\t",
        " ",
        "  ",
        ":",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "#",
        "'",
        '"',
        "|",
        ">",
        "?",
    ),
    *(
        "&a ",
        "*a",
        "<<: *a",
        "!!python/object:os.system ",
        "!!binary ",
        "!!int ",
        "!x ",
        "%YAML 9\n",
    ),
    *(
        "---\n",
        "...\n",
        "\ufeff",
        "\0",
        "\x07",
        "\x85",
        "\u2028",
        "0x",
        "0b_",
        "1e5",
        "1:2:3",
        ".inf",
    ),
    *("2001-99-99", "2001-01-01", "=", "~", "null", "\\", '"\\ud800"', "experiments:", "seed: 1\n"),
    *("[" * 50, "- " * 50, "{a: " * 2000, "9" * 5000, "é", "x" * 2000),
)


@st.composite
def written(draw, base, bits=BITS):
    """The bytes of ``base`` with pieces left out, put in or moved, and now and then no UTF-8."""
    text = base
    for _ in range(draw(st.integers(1, 6))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 40))
        piece = draw(st.sampled_from(bits) | st.just(text[at : at + length]) | st.text(max_size=5))
        to = draw(st.integers(0, len(text)))
        if draw(st.booleans()):
            text = text[:at] + text[at + length :]
        text = text[:to] + piece + text[to:]
    data = text.encode(errors="surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(min_size=1, max_size=3)) + data[at:]
    return data
