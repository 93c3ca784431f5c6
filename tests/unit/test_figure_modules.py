"""Figures and rules of several kinds: what a developer gets wrong is told with the file."""

import pytest

from spectral_capacity.config.figure_modules import figure_modules, title
from spectral_capacity.config.figures import figures_model
from spectral_capacity.config.model import config_model
from spectral_capacity.kinds.memory import MemoryExperiment
from spectral_capacity.kinds.registry import KINDS

GOOD = '''"""A caption."""
KIND, THEME, SHOWS, NEEDS = "memory", "A theme", "one_step", ("population",)
OPTION_NEEDS = {"x": {"step": "2 steps"}}


def plot(grid, fits, *, finite_size=True, x: Literal["d", "step"] = "d"):
    pass
'''


@pytest.fixture
def another(tmp_path, monkeypatch):
    """A kind whose figures are modules of a folder: ``another({name: text})``."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(modules):
        package = f"figures_of_{tmp_path.name.replace('-', '_')}"
        (tmp_path / package).mkdir()
        for name, text in modules.items():
            (tmp_path / package / f"{name}.py").write_text(text)
        return {"another": type("Another", (MemoryExperiment,), {"figures": package})}

    return make


def test_figures_of_several_kinds_stand_beside_each_other(another):
    found = figure_modules(KINDS | another({"mine": GOOD}))
    assert found["mine"].caption == "A caption."
    assert found["mine"].needs_with({"x": "d"}) == ("population",)
    assert found["mine"].needs_with({"x": "step"}) == ("population", "2 steps")
    assert found["mine"].title == "Mine"
    assert found["newton_schulz_depth"].title == "Newton–Schulz depth"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("fig2", GOOD, r"its name is taken: .*fig2\.py"),
        ("mine", GOOD.replace("2 steps", "two"), r"mine\.py: 'two' is not one of"),
        (
            "mine",
            GOOD.replace("Literal", "Litral"),
            r"mine\.py, line 6: option x must have .*'Litral'",
        ),
        (
            "mine",
            GOOD.replace(' = "d"', ""),
            "line 6: option x must have an annotation and a default",
        ),
        (
            "mine",
            GOOD.replace("\n\n\n", '\nDIFFERENT = (("x", "z"),)\n\n\n'),
            r"mine\.py: 'z' is not an option of its plot",
        ),
        ("plan", GOOD, "its name is taken: a target of Snakemake"),
        ("mine", GOOD.replace("population", "poplation"), r"mine\.py: 'poplation' is not one of"),
        ("mine", GOOD.replace("memory", "memry"), r"mine\.py: 'memry' is not one of"),
        ("mine", '"""A caption."""\n', r"mine\.py: a figure says KIND, NEEDS, SHOWS, THEME"),
        ("mine", "KIND = str(1)\n", r"mine\.py, line 1: KIND must be literals"),
    ],
)
def test_a_mistake_names_the_module(another, name, text, message):
    with pytest.raises(ValueError, match=message):
        figure_modules(KINDS | another({name: text}))


def test_kinds_share_no_name_of_a_rule(monkeypatch):
    def gradient(gradient, context):
        """Another one."""

    other = type("Other", (MemoryExperiment,), {"rules": {"gradient": gradient}})
    monkeypatch.setitem(KINDS, "other", other)
    with pytest.raises(ValueError, match="kind other: another kind has a rule 'gradient'"):
        config_model()


def test_no_figure_has_the_name_of_a_key_of_its_section(another):
    with pytest.raises(ValueError, match="its name is taken: a key of the section figures"):
        figures_model(figure_modules(KINDS | another({"style": GOOD})))


@pytest.mark.parametrize(
    ("name", "called"),
    [("fig2", "Figure 2"), ("fig4abc", "Figure 4abc"), ("real_words", "Real words")],
)
def test_titles(name, called):
    assert title(name) == called
