"""Claims and captions, written in reStructuredText, as HTML with MathML and as plain text.

Mathematics stands in the role ``:math:``, in LaTeX where Greek letters and signs may be written as such. A
power written plainly, as d^(1/2), is set as mathematics too.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from docutils import nodes
from docutils.core import publish_doctree, publish_parts
from docutils.writers import html5_polyglot
from markupsafe import Markup

SETTINGS = {
    "math_output": "MathML",
    "raw_enabled": False,
    "file_insertion_enabled": False,
    "doctitle_xform": False,
    "syntax_highlight": "none",
    "report_level": 5,  # what is not understood stands there as it was written
    "_disable_config": True,
}
BRACKETS = r"\((?:[^()`]|\((?:[^()`]|\([^()`]*\))*\))*\)"
"""Up to three levels of them."""
POWER = re.compile(rf"(?<![\w^])(\w|{BRACKETS})\^({BRACKETS}|\w+)")
ROLE_OR_LITERAL = re.compile(r"(``.*?``|(?::[\w:]+:)?`[^`]*`_{0,2})", re.DOTALL)
FORMULA = re.compile(r"(<math.*?</math>)([.,;:)]*)", re.DOTALL)
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
WORDS = {"sqrt": "√", "infty": "∞", "le": "≤", "ge": "≥", "cdot": "·", "times": "×"}


@cache
def to_html(text: str, *, links: bool = True) -> Markup:
    """Paragraphs; with ``links`` to the papers that are named as arXiv:NUMBER."""
    writer = html5_polyglot.Writer()
    parts = publish_parts(_with_powers(text), writer=writer, settings_overrides=SETTINGS)
    body = FORMULA.sub(_unbroken, parts["body"].strip())
    if links:
        body = ARXIV.sub(r'<a href="https://arxiv.org/abs/\1">\g<0></a>', body)
    return Markup(body)


def inline(text: str, *, links: bool = True) -> Markup:
    """:func:`to_html` of a single paragraph, without the paragraph."""
    return Markup(str(to_html(text, links=links)).removeprefix("<p>").removesuffix("</p>"))


@cache
def plain(text: str) -> str:
    """The text without its markup, on one line: :math:`d^{1/2}` is d^(1/2)."""
    tree = publish_doctree(text, settings_overrides=SETTINGS)
    for message in [*tree.findall(nodes.system_message)]:
        message.parent.remove(message)
    for formula in [*tree.findall(nodes.math), *tree.findall(nodes.math_block)]:
        formula.children = [nodes.Text(_plain_formula(formula.astext()))]
    for power in [*tree.findall(nodes.superscript)]:
        power.insert(0, nodes.Text("^"))
    return " ".join(tree.astext().split())


def first_sentence(text: str) -> str:
    """The first sentence of a text, plain and without its full stop."""
    return re.split(r"\.(?:\s|$)", plain(text), maxsplit=1)[0]


def _with_powers(text: str) -> str:
    """The text with its plain powers in roles of their own; what is in backquotes stays."""
    pieces = ROLE_OR_LITERAL.split(text)
    pieces[::2] = [POWER.sub(_power, piece) for piece in pieces[::2]]
    return "".join(pieces)


def _power(match: re.Match) -> str:
    base, exponent = match.groups()
    exponent = exponent[1:-1] if exponent.startswith("(") else exponent
    return rf"\ :math:`{base}^{{{exponent}}}`\ "


def _unbroken(found: re.Match) -> str:
    """A formula that stays in a line with the stop after it."""
    formula = re.sub(r"\s*\n\s*", "", found[1])
    return f'<span class="formula">{formula}{found[2]}</span>' if found[2] else formula


def _plain_formula(latex: str) -> str:
    """A formula on one line: braces as brackets, commands as the letters or words that they stand for."""
    latex = re.sub(r"\\frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"(\1)/(\2)", latex)
    latex = re.sub(r"\\([A-Za-z]+)", lambda match: _letter(match[1]), latex)
    latex = re.sub(r"\\[,:; ]\s*", " ", latex)
    latex = re.sub(r"\{(\w)\}", r"\1", latex)
    return latex.replace("{", "(").replace("}", ")").replace("\\", "")


def _letter(command: str) -> str:
    case = "CAPITAL" if command[0].isupper() else "SMALL"
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {command.upper()}")
    except KeyError:
        return WORDS.get(command, command)
