"""How things look in every figure: optimizers by name; d and α of a memory by value, whatever else is shown.

Colours are those of the style file: its cycle for optimizers, its colour map for values that have an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from numbers import Real
from types import MappingProxyType
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb

NAMES = {"gd": "GD", "muon": "Muon", "newton": "Newton"}
"""In the order of the places that the configuration prefers for them."""
LISTED = 6
"""Of more texts than these the middle ones are not written."""
MARKERS = "osD^vPpX<"
SMALLEST_D, LARGEST_D = 16, 512
SMALLEST_ALPHA, LARGEST_ALPHA = 1.0, 3.0
"""The ends of the colour map; what is beyond has the colour of the end, and its own marker."""
CONTRAST = 3.0
"""Least ratio of luminances of a line and a white page (WCAG 1.4.11)."""

_given: ContextVar[Mapping[str, Mapping[str, Any]]] = ContextVar(
    "optimizers", default=MappingProxyType({})
)
_families: ContextVar[Mapping[str, Sequence[str]]] = ContextVar(
    "families", default=MappingProxyType({})
)


@contextmanager
def optimizers(looks: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Inside, optimizers look as ``looks`` says: {name: {place, colour, label}}, the last two or None.

    ``place`` is one in the colour cycle, ``colour`` any that Matplotlib knows.
    """
    token = _given.set(looks)
    try:
        yield
    finally:
        _given.reset(token)


@contextmanager
def families(members: Mapping[str, Sequence[str]]) -> Iterator[None]:
    """Inside, each family of optimizers, {name: its optimizers}, looks as the first of them."""
    token = _families.set(members)
    try:
        yield
    finally:
        _families.reset(token)


def label(optimizer: str, *, minibatches: bool = False) -> str:
    """How an optimizer is called in a figure: by its label, or by its name; SGD is GD on minibatches.

    What a name has beyond that of a known optimizer stands in parentheses: ``gd_growing``, GD (growing).
    A family is called by its name, unless that is all its optimizers' or they have labels: then by theirs.
    """
    members = _families.get().get(optimizer, [optimizer])
    given = [_given.get().get(name, {}).get("label") for name in members]
    if not any(given) and " " not in optimizer:
        return _called(optimizer, minibatches)
    labels = [own or _called(name, minibatches) for own, name in zip(given, members, strict=True)]
    return listed(dict.fromkeys(labels))


def _called(optimizer: str, minibatches: bool) -> str:
    name, _, variant = optimizer.partition("_")
    if name not in NAMES or optimizer.startswith("newton_schulz"):
        return optimizer.replace("_", " ")
    known = "SGD" if minibatches and name == "gd" else NAMES[name]
    return f"{known} ({variant.replace('_', ' ')})" if variant else known


def listed(texts: Iterable[str]) -> str:
    """Texts with commas between them, the first and the last of many."""
    texts = [*texts]
    if len(texts) > LISTED:
        texts = [*texts[:2], "…", texts[-1]]
    return ", ".join(texts)


def optimizer_style(optimizer: str) -> dict[str, Any]:
    """Colour and marker of an optimizer, the same in every figure; of a family, those of its first."""
    optimizer = _families.get().get(optimizer, [optimizer])[0]
    given = _given.get().get(optimizer, {})
    place = given.get("place")
    if place is None:  # drawn without a configuration, as in a notebook
        name = optimizer.partition("_")[0]
        place = [*NAMES, name].index(name)
    cycle = len(matplotlib.rcParams["axes.prop_cycle"])
    return {"color": given.get("colour") or f"C{place % cycle}", "marker": marker(place, cycle)}


def d_style(d: Real) -> dict[str, Any]:
    """Colour and marker of an embedding dimension: darker for smaller ones."""
    octaves = np.log2(LARGEST_D / SMALLEST_D)
    return {
        "color": shade(np.log2(d / SMALLEST_D) / octaves),
        "marker": MARKERS[round(2 * np.log2(d)) % len(MARKERS)],
    }


def alpha_style(alpha: Real) -> dict[str, Any]:
    """Colour and marker of a frequency exponent: darker for smaller ones."""
    range_ = LARGEST_ALPHA - SMALLEST_ALPHA
    return {
        "color": shade((alpha - SMALLEST_ALPHA) / range_),
        "marker": MARKERS[round(4 * alpha) % len(MARKERS)],
    }


def marker(place: int, cycle: int = len(MARKERS)) -> str:
    """The marker of a place; with the colours of a cycle, no pair comes twice for long."""
    return MARKERS[(place + place // cycle) % len(MARKERS)]


def shades(n: int) -> list:
    """n colours in order, dark to light, told apart in grey and by colour-blind readers."""
    return [shade(i / max(n - 1, 1)) for i in range(n)]


def ordered(n: int) -> list[dict[str, Any]]:
    """Colours, dark to light, and markers of n values in order, where only these are ever compared."""
    return [{"color": colour, "marker": marker(i)} for i, colour in enumerate(shades(n))]


def shade(share: float) -> tuple:
    """The colour at this share, 0 … 1, of the part of the style's colour map that is dark enough."""
    colours = matplotlib.colormaps[matplotlib.rcParams["image.cmap"]]
    return colours(_dark_end(colours.name) * float(np.clip(share, 0, 1)))


@cache
def _dark_end(name: str) -> float:
    """Where a colour map's contrast with white falls below what a line needs."""
    shares = np.linspace(0, 1, 501)
    too_light = contrast(matplotlib.colormaps[name](shares)) < CONTRAST
    return float(shares[max(too_light.argmax() - 1, 0)]) if too_light.any() else 1.0


def contrast(colour: Any) -> np.ndarray | float:
    """Ratio of luminances of white and colours (..., 3 or 4), or one by its name (WCAG 2)."""
    rgb = np.asarray(to_rgb(colour) if isinstance(colour, str) else colour, float)[..., :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return 1.05 / (linear @ np.array([0.2126, 0.7152, 0.0722]) + 0.05)
