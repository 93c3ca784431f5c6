import pytest

from spectral_capacity.report.text import first_sentence, inline, plain, to_html


@pytest.mark.parametrize(
    ("text", "html", "words"),
    [
        (
            ":math:`d^{1/2}`",
            '<msup><mi>d</mi><mrow><mn>1</mn><mo stretchy="false">/</mo><mn>2</mn></mrow></msup>',
            "d^(1/2)",
        ),
        (r":math:`\alpha_{t+1} ≤ \sqrt{2}`", "<msqrt><mn>2</mn></msqrt>", "α_(t+1) ≤ √2"),
        (r":math:`\frac{1}{2α}`", "<mfrac>", "(1)/(2α)"),
        ("d^2", "<msup><mi>d</mi><mn>2</mn></msup>", "d^2"),
        (
            "(tB)^(1/α)",
            '<mrow><mn>1</mn><mo stretchy="false">/</mo><mi>α</mi></mrow>',
            "(tB)^(1/α)",
        ),
        ("d^(2 − (1 − 1/(2α))^t)", "<mi>t</mi></msup></mrow></msup></math>", None),
        (r"d\ :sup:`2`", "d<sup>2</sup>", "d^2"),
        ("*one* **two** ``a^b``", "<em>one</em> <strong>two</strong>", "one two a^b"),
        ("x < 1 & <b>", "x &lt; 1 &amp; &lt;b&gt;", "x < 1 & <b>"),
        ("an `open role", "an `open role", "an `open role"),
        (
            "arXiv:2603.26554, Theorem 3",
            '<a href="https://arxiv.org/abs/2603.26554">arXiv:2603.26554</a>, Theorem 3',
            "arXiv:2603.26554, Theorem 3",
        ),
    ],
)
def test_markup_and_mathematics(text, html, words):
    assert html in to_html(text)
    assert plain(text) == (words or text)


def test_what_is_in_backquotes_is_no_power():
    assert "<math" not in to_html("``a^b``")
    assert to_html("``a^b``").count("a^b") == 1


def test_a_formula_stays_with_the_stop_after_it():
    assert "<mi>α</mi></math>,</span>" in to_html(":math:`α`, and")
    assert "</math> and" in to_html(":math:`α` and")


def test_a_caption_has_paragraphs_and_a_first_sentence():
    caption = "Items against :math:`d`,\nby seed. Bars: range.\n\nGrey: d^2."
    assert to_html(caption).count("<p>") == 2
    assert first_sentence(caption) == "Items against d, by seed"


def test_a_title_inside_of_a_link_has_none():
    assert "<a " not in inline("Lemma 8 of arXiv:2603.26554", links=False)
    assert inline("one *line*") == "one <em>line</em>"


def test_files_and_raw_html_are_not_let_in():
    page = to_html(".. raw:: html\n\n   <script>1</script>\n\n.. include:: /etc/hostname\n")
    assert "<script" not in page
    assert "<p>" not in page
