"""What the campaign covers and what becomes of each fault; ``python -m tests.faults.table`` prints it."""

from __future__ import annotations

from tests.faults.faults import DAMAGED, DAMAGES, DISKS, DISKS_AT_THE_START, KILLED, TOGETHER
from tests.faults.tree import MADE

ROWS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys([*KILLED, *TOGETHER, *DISKS], tuple(MADE)),
    **dict.fromkeys(DISKS_AT_THE_START, ("fit_exponents",)),  # which stop before any job
    **dict.fromkeys(DAMAGES, tuple(DAMAGED)),
}
"""Rules by fault."""


def outcome(fault: str) -> str:
    """What the campaign has found of a fault, for each of its rules."""
    if fault in DAMAGES:
        return "made again"
    if fault in TOGETHER:
        return "message, `--unlock`, made again"
    return "message, then made again"


def table() -> str:
    """Rules by fault and outcome, in Markdown."""
    names = [*DAMAGED]
    head = ["fault", *names]
    lines = [
        [fault, *(outcome(fault) if name in rules else "" for name in names)]
        for fault, rules in ROWS.items()
    ]
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    print(table())
