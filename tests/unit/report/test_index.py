"""What the page of a run says, and that it stands alone."""

import math
import re
from html.parser import HTMLParser

import pytest

from spectral_capacity.report import index
from spectral_capacity.report.pictures import embedded
from spectral_capacity.report.run import read_run
from spectral_capacity.results.files import is_complete
from tests.unit.report.results import grid_of, page_of, run_of

VOID = {"meta", "link", "img", "br", "path", "rect", "circle"}


class Page(HTMLParser):
    """Attributes of every element, and whether each is closed where it must be."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID and tag not in ("li", "p", "td", "th", "tr"):
            while self.open[-1] in ("li", "p", "td", "th", "tr") and self.open[-1] != tag:
                self.open.pop()
        assert tag in VOID or self.open.pop() == tag, tag

    def all(self, attribute):
        return [a[attribute] for _, a in self.elements if attribute in a]


def words_of(text):
    """The text without elements, spaces put together and none before a stop."""
    words = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    return re.sub(r" ([,;.])", r"\1", words)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return page_of(tmp_path_factory.mktemp("results"))


def test_elements_are_closed_and_ids_are_unique(text):
    page = Page(text)
    assert page.open == []
    ids = page.all("id")
    assert len(ids) == len(set(ids))


def test_links_lead_somewhere(tmp_path):
    text = page_of(tmp_path)
    page = Page(text)
    links = [a["href"] for tag, a in page.elements if tag == "a"]
    assert {f"#{i}" for i in ("fig2", "fig4", "claim-T5-x")} <= set(links)
    for link in links:
        if link.startswith("#"):
            assert link[1:] in page.all("id")
        elif not link.startswith("https://arxiv.org/abs/"):
            assert (tmp_path / link).is_file(), link


def test_nothing_is_loaded_from_elsewhere(text):
    page = Page(text)
    assert not {"script", "iframe", "object"} & {tag for tag, _ in page.elements}
    loaded = page.all("src") + [a["href"] for tag, a in page.elements if tag == "link"]
    assert loaded
    assert all(address.startswith("data:") for address in loaded)
    assert "url(" not in text
    assert "@import" not in text


def test_the_summary_counts_verdicts_and_says_what_was_run(text):
    words = words_of(text)
    for verdict in ("supported", "inconclusive", "contradicted", "too small", "not measured"):
        assert re.search(rf"\b1 \S {verdict}", words)
    assert "1 experiment," in words
    assert "2,000" in words
    assert "3 cells" in words
    assert "2 min of training" in words
    assert "2026-02-02" in words
    assert "000000000000; 111111111111, with changes that are not committed" in words
    assert "H100, cpu" in words
    assert "numpy 2.0 and 2.1" in words
    assert "0 … population (9)" in words


def test_a_claim_has_its_verdict_its_numbers_and_its_figure(text):
    row = re.search(r'<tbody id="claim-T5-x">(.*?)</tbody>\n</table>', text, re.DOTALL)[1]
    assert "<msup><mi>d</mi>" in row
    assert "&lt;items&gt;" in row
    assert "? </span>inconclusive" in row
    words = words_of(row)
    assert "1.50 [1.25, 1.75] predicted 1.25, allowed ± 0.50" in words
    assert "exponent in d of the number of items stored, over the three largest d; α = 2.5" in words
    assert "the one inconclusive among 2 measurements" in words
    assert '<a href="#fig2">Title of fig2</a>' in row
    assert "<summary>2 measurements and the source</summary>" in row


def test_a_claim_whose_figure_was_not_drawn_links_to_none(text):
    row = re.search(r'<tbody id="claim-S">(.*?)</tbody>', text, re.DOTALL)[1]
    assert "left_out" not in row
    assert "no figure" in row
    assert "d goes to 16; a verdict needs 64" in row


def test_a_claim_that_is_not_supported_has_a_reason(text):
    rows = dict(re.findall(r'<tbody id="claim-([^"]*)">(.*?</details>\n)</td>', text, re.DOTALL))
    for name in ("T5-x", "LIM"):
        assert "Measured more than predicted" in rows[name]
        assert "&lt;bend&gt; it." in rows[name]
    for name in ("T3", "S"):
        assert "Measured more than predicted" not in rows[name]
        assert "&lt;bend&gt;" not in rows[name]


def test_what_was_found_in_short_comes_first(text):
    short = re.search(r'<section id="in-short">(.*?)</section>', text, re.DOTALL)[1]
    words = words_of(short)
    assert "LIM : LIM: about" in words
    assert "Measured 1.50 [1.25, 1.75], predicted 1.25, allowed ± 0.50." in words
    assert "supported : T3." in words
    assert "inconclusive : T5 x." in words
    # The table of one step: an exponent, the theory's, and the count at d = 256 on the population.
    assert "fitted over the three largest d" in words
    assert "1.50 [1.25, 1.75] theory 1.25; 7.5 stored" in words
    assert text.index('id="in-short"') < text.index("<dt>Configuration")


def test_terms_and_optimizers_are_explained_above_the_claims(text):
    terms = re.search(r'<section id="terms">(.*?)</section>', text, re.DOTALL)[1]
    for term in ("stored, recovered", "Newton step", "κ", "prediction without a fit parameter"):
        assert f"<dt>{term}</dt>" in terms
    assert "<dt>muon</dt>" in terms
    assert "every singular value of the gradient becomes 1" in terms
    assert text.index('id="terms"') < text.index('<section id="claims">')


def test_a_run_that_may_stop_has_at_most_its_steps(text):
    assert "<td>≤ 40</td>" in text


def test_claims_that_were_not_measured_are_folded(text):
    folded = re.search(
        r"<details>\n<summary>1 claim that this run did not measure.*?</details>", text, re.DOTALL
    )
    assert 'id="claim-N"' in folded[0]
    assert 'id="claim-N"' not in text.replace(folded[0], "")


def test_figures_stand_under_their_themes(text):
    assert re.findall(r'<h2 id="theme-\d">(.*?)</h2>', text) == ["One step", "Many steps"]
    figure = re.search(r'<section id="fig2">(.*?)</section>', text, re.DOTALL)[1]
    assert 'alt="Items of &#34;fig2&#34; against d"' in figure
    assert 'src="data:image/svg+xml;base64,' in figure
    assert "Grey: <span" in figure or "Grey: <math" in figure
    for file in ("figures/fig2.svg", "figures/fig2.png", "grids/one_step.nc", "fits/one_step.csv"):
        assert f'href="{file}"' in figure
    assert "Claims it shows: T3 ✓ supported, T5 x ? inconclusive" in words_of(figure)
    assert (
        "Claims it shows"
        not in re.search(r'<section id="fig3">(.*?)</section>', text, re.DOTALL)[1]
    )


@pytest.mark.parametrize(
    ("formats", "picture"), [(["png"], "data:image/png;base64,"), (["pdf"], None)]
)
def test_any_format_will_do(tmp_path, formats, picture):
    text = page_of(tmp_path, formats=formats)
    assert (
        [p[: len(picture)] for p in Page(text).all("src")] == [picture] * 3
        if picture
        else "<img" not in text
    )
    assert f'href="figures/fig2.{formats[0]}"' in text
    assert ("No picture: a page shows SVG or PNG" in words_of(text)) == (picture is None)


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_pictures_have_the_size_that_they_were_drawn_for(tmp_path, suffix):
    run = run_of(tmp_path)
    path = run.settings["figures"][0]["files"][suffix]
    _, width, height = embedded(path)
    assert (width, height) == (576, 432)  # 4 by 3 inches, half as large again


def test_a_run_that_is_too_small_says_so_at_the_top(tmp_path):
    small = {"A": ["too small"], "B": ["not measured"]}
    assert "This run is too small to decide any claim" in page_of(tmp_path, verdicts=small)


def test_a_run_that_decides_something_is_not_called_too_small(text):
    assert "too small to decide any claim" not in text


def test_equal_results_give_equal_pages(tmp_path):
    (tmp_path / "a").mkdir()
    run = run_of(tmp_path / "a")
    index.write(**vars(run))
    first = run.page.read_bytes()
    run.page.unlink()
    index.write(**vars(run))
    assert run.page.read_bytes() == first
    assert is_complete(run.page)


def test_counts_are_found_by_rounded_coordinates(tmp_path):
    run = run_of(tmp_path)
    (experiment,) = read_run(run.grids, {}).experiments
    at = {"optimizer": "muon", "batch_size": "inf"}
    assert experiment.stored(d=256.0001, **at) == 7.5
    assert experiment.stored(d=8.0, **at) == 1.0
    assert math.isnan(experiment.stored(d=512.0, **at))


def test_without_logs_there_is_no_time(tmp_path):
    run = run_of(tmp_path)
    for log in (tmp_path / "logs").iterdir():
        log.unlink()
    index.write(**vars(run))
    assert "– of training" in words_of(run.page.read_text())


def test_a_run_without_claims_is_a_page_too(tmp_path):
    text = page_of(tmp_path, verdicts={})
    assert "None of its claims is about the experiments of this run" in words_of(text)


def section(text, name):
    return re.search(rf'<section id="{name}">(.*?)</section>', text, re.DOTALL)[1]


def test_a_figure_shows_the_claims_about_its_own_experiment(tmp_path):
    """Under whatever name it is drawn: not those that another experiment decides."""
    run = run_of(tmp_path)
    first, *others = run.settings["figures"]
    again = first | {"name": "again"}
    run.settings["figures"] = [first | {"experiments": ["mine"]}, *others, again]
    run.settings["experiments"]["mine"] = {"fits": {}, "logs": []}
    run.grids.append(grid_of(tmp_path, "mine"))
    index.write(**vars(run))
    text = run.page.read_text()
    assert "Claims it shows" not in section(text, "fig2")
    assert "Claims it shows: T3" in words_of(section(text, "again"))
    assert '<a href="#again">' in re.search(r'<tbody id="claim-T3">.*?</tbody>', text, re.DOTALL)[0]


def test_exponents_of_every_experiment_are_on_the_page(text):
    shown = words_of(re.search(r"Exponents of one_step.*?</details>", text, re.DOTALL)[0])
    assert "on the population" in shown
    assert "muon 1.5 0 1.41 [1.31, 1.52] 1.33 312" in shown.replace("\xa0", " ")
    assert "9.9" not in shown
    assert "8.8" not in shown


def test_a_run_of_her_own_experiments_only_leads_to_their_exponents(tmp_path):
    text = page_of(tmp_path, verdicts={"A": ["not measured"]})
    assert "None of its claims is about the experiments of this run" in words_of(text)
    assert 'class="claims"' not in text
    assert "<details open>\n<summary>Exponents of one_step" in text
