"""What the campaign covers, and what becomes of each fault; ``python -m tests.faults.table`` prints it."""

from __future__ import annotations

from collections.abc import Iterable

from tests.faults.faults import DAMAGED, DAMAGES, DISKS, DISKS_AT_THE_START, KILLED, TOGETHER
from tests.faults.tree import MADE

ROWS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys([*KILLED, *TOGETHER, *DISKS], tuple(MADE)),
    **dict.fromkeys(DISKS_AT_THE_START, ("fit_exponents",)),  # which stop before any job
    **dict.fromkeys(DAMAGES, tuple(DAMAGED)),
}
"""Rules by fault."""

USED = "used"
STOPPED = "message"
INPUTS: dict[str, dict[str, str]] = {
    "claims.yaml": {"truncated": STOPPED, "emptied": STOPPED, "changed": USED},
    "my.mplstyle": {"truncated": USED, "emptied": USED, "changed": USED},
    "counts.csv": {"truncated": STOPPED, "emptied": STOPPED, "changed": USED},
    "own.nc": {"truncated": STOPPED, "emptied": STOPPED, "changed": USED},
    "my_maps.py": {"truncated": STOPPED, "emptied": STOPPED, "changed": USED},
}
"""Of the user's files: a message that names the file, or what it says now is used."""


def outcome(fault: str) -> str:
    """What becomes of a fault, whatever the rule."""
    if fault in DAMAGES:
        return "made again"
    return "unlock" if fault in TOGETHER else "message"


def table() -> str:
    """Outcomes by fault and rule, in Markdown."""
    return _markdown(
        ["", *DAMAGED],
        (
            [fault, *(outcome(fault) if name in rules else "" for name in DAMAGED)]
            for fault, rules in ROWS.items()
        ),
    )


def inputs() -> str:
    """Outcomes by file of the user's and damage, in Markdown."""
    damages = list(INPUTS["own.nc"])
    rows = ([name, *(found[how] for how in damages)] for name, found in INPUTS.items())
    return _markdown(["", *damages], rows)


def _markdown(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(table(), inputs(), sep="\n\n")
