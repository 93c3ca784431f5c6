"""How optimizers look in every figure, decided once for the whole configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

from spectral_capacity.kinds.experiment import Problem
from spectral_capacity.kinds.optimizers import theory_of

if TYPE_CHECKING:
    from spectral_capacity.config.model import Config

PLACES = {"gradient": 0, "muon": 1, "newton": 2, "sgd": 0}
"""In the colour cycle, by the theory that speaks of an optimizer or by its rule: where no other of its
experiments is."""
CYCLE = 7
"""Colours of the shipped style."""


def looks(config: Config) -> dict[str, dict[str, Any]]:
    """{optimizer: {place, colour, label}}: its place in the colour cycle, and what the user has set or None.

    Two optimizers of one experiment have different places. A new optimizer that comes later in the
    configuration moves nobody's; a new experiment moves those that looked alike and now meet in it, and
    whoever stands beside them elsewhere.
    """
    places: dict[str, int] = {}
    shown_in: dict[str, list[set[int]]] = {}  # the places taken in each experiment of an optimizer
    for experiment in config.experiments.values():
        taken: set[int] = set()
        for name in experiment.optimizers:
            shown_in.setdefault(name, []).append(taken)
    for name, optimizer in config.optimizers.items():
        beside = shown_in.get(name, [])
        taken = set().union(*beside)
        places[name] = next(p for p in _preferred(optimizer) if p not in taken)
        for others in beside:
            others.add(places[name])
    return {
        name: {"colour": optimizer.colour, "label": optimizer.label, "place": places[name]}
        for name, optimizer in config.optimizers.items()
    }


def _preferred(optimizer: Any) -> Iterable[int]:
    """Places from the best on: its own, those of no theory, those of others, and around again."""
    theory, known = theory_of(optimizer), sorted({*PLACES.values()})
    own = [p for name, p in PLACES.items() if name in (theory, optimizer.rule)][:1]
    yield from own
    yield from (place for place in range(CYCLE) if place not in known)
    yield from (place for place in known if place not in own)
    yield from count(CYCLE)


def problems(config: Config) -> Iterator[Problem]:
    """Colours and labels that Matplotlib does not know: (key, message) each."""
    for name, optimizer in config.optimizers.items():
        if optimizer.colour is not None:
            from matplotlib.colors import is_color_like, to_rgba  # slow to load, and seldom needed

            if not is_color_like(optimizer.colour) or to_rgba(optimizer.colour)[3] == 0:
                yield (
                    ("optimizers", name, "colour"),
                    f'{optimizer.colour!r}: no colour; write one as "#d55e00" (with quotes), or by its name',
                )
        # As Matplotlib does it: an odd number of dollars is text.
        dollars = (optimizer.label or "").replace(r"\$", "").count("$")
        if dollars and dollars % 2 == 0:
            from matplotlib.mathtext import MathTextParser

            try:
                MathTextParser("path").parse(optimizer.label)
            except (RecursionError, ValueError):
                yield (
                    ("optimizers", name, "label"),
                    f"{optimizer.label!r}: Matplotlib does not read what is between the $ as mathematics",
                )
