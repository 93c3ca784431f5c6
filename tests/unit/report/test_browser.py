"""The page of a run in a browser: from disk, with no network, by keyboard, on a narrow screen."""

import os
import shutil

import pytest

from spectral_capacity.report import index
from tests.unit.report.results import run_of

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
OFFLINE = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
pytestmark = pytest.mark.skipif(
    BROWSER is None and os.environ.get("CI") != "true", reason="no Chromium on PATH"
)
FOCUS = """() => {
    const style = getComputedStyle(document.activeElement);
    const box = document.activeElement.getBoundingClientRect();
    return {
        href: document.activeElement.getAttribute("href"),
        outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
        inside: box.left >= 0 && box.width > 0 && box.top >= 0 && box.bottom <= innerHeight,
    };
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    # Wide tables and pictures are what a narrow screen is asked about.
    many = {f"C{i}": ["supported"] * 3 for i in range(12)}
    run = run_of(folder, verdicts={"T3": ["supported"], "T5 x": ["contradicted"]} | many)
    index.write(**vars(run))
    return run.page.as_uri()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    assert BROWSER, "CI has no Chromium on PATH: .ci/run installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=OFFLINE)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser, address):
    """``opened(width)``: the page, with no network; what it asks of one or complains of fails the test."""
    contexts, wrong = [], []

    def open_page(width=1200):
        context = browser.new_context(viewport={"width": width, "height": 800})
        contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if far(request.url) else None)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def far(url):
    return not url.startswith(("file:", "data:"))


def test_it_opens_from_disk_and_shows_its_pictures(opened):
    page = opened()
    assert page.title() == "How many facts an optimizer stores: what this run found"
    sizes = page.eval_on_selector_all("figure img", "all => all.map(i => i.naturalWidth)")
    assert len(sizes) == 3
    assert all(sizes)
    box = page.locator(".claims math").first.bounding_box()
    assert box["width"] > 5


def test_the_link_of_a_claim_scrolls_to_its_figure(opened):
    page = opened()
    before = page.locator("#fig2").bounding_box()["y"]
    page.click('#claim-T5-x a[href="#fig2"]')
    after = page.locator("#fig2").bounding_box()["y"]
    assert before > 800
    assert 0 <= after < 100
    page.click('#fig2 a[href="#claim-T5-x"]')
    assert 0 <= page.locator("#claim-T5-x").bounding_box()["y"] < 800


def test_it_can_be_used_by_keyboard(opened):
    page = opened()
    page.keyboard.press("Tab")
    first = page.evaluate(FOCUS)
    assert first["href"] == "#claims"  # skip the rest
    assert first["inside"]
    page.keyboard.press("Enter")
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        assert focus["outline"] >= 2
        assert focus["inside"]
        reached.append(focus["href"])
    assert "#fig2" in reached


def test_lines_of_a_claim_unfold_by_keyboard(opened):
    page = opened()
    details = page.locator("#claim-T3 details")
    details.locator("summary").focus()
    assert not details.locator("table").is_visible()
    page.keyboard.press("Enter")
    assert details.locator("table").is_visible()


@pytest.mark.parametrize("width", [320, 400, 1200])
def test_no_width_scrolls_the_page_sideways(opened, width):
    page = opened(width)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    left = page.locator(".claims > tbody > tr > *").evaluate_all(
        "all => Math.max(...all.map(cell => cell.getBoundingClientRect().right))"
    )
    assert left <= width


def test_text_is_dark_on_white(opened):
    """A contrast of at least 4.5 to 1 (WCAG) for every colour of text."""
    page = opened()
    colours = page.evaluate(
        """() => [...new Set([...document.querySelectorAll("body *")].map(
            element => getComputedStyle(element).color))]"""
    )
    assert len(colours) > 3
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for colour in colours:
        red, green, blue = (int(part) / 255 for part in colour[4:-1].split(","))
        luminance = sum(
            weight * (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
            for weight, part in zip((0.2126, 0.7152, 0.0722), (red, green, blue), strict=True)
        )
        assert 1.05 / (luminance + 0.05) >= 4.5, colour
