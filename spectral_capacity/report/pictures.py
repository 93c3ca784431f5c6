"""Pictures inside of a page, so that it needs no file beside it."""

from __future__ import annotations

import base64
import re
import struct
from pathlib import Path

TYPES = {"svg": "image/svg+xml", "png": "image/png"}
"""Formats that a page can show, the one it prefers first."""
MAGNIFIED = 1.5
"""Figures are drawn for a column of paper, with letters of eight points; a screen has more room."""


def shown(files: dict[str, str]) -> str | None:
    """Which of a figure's files, by their formats, a page shows; None where it can show none."""
    return next((files[suffix] for suffix in TYPES if suffix in files), None)


def embedded(path: str) -> tuple[str, int, int]:
    """A picture as an address that holds it, and the width and height to show it at, in CSS pixels."""
    content = Path(path).read_bytes()
    suffix = Path(path).suffix.removeprefix(".")
    width, height = (_svg_inches if suffix == "svg" else _png_inches)(content)
    data = base64.b64encode(content).decode()
    return f"data:{TYPES[suffix]};base64,{data}", *(
        round(96 * MAGNIFIED * x) for x in (width, height)
    )


def _svg_inches(content: bytes) -> tuple[float, float]:
    """Of Matplotlib's SVG, whose size is in points."""
    width, height = re.search(rb'<svg[^>]*? viewBox="0 0 ([\d.]+) ([\d.]+)"', content).groups()
    return float(width) / 72, float(height) / 72


def _png_inches(content: bytes) -> tuple[float, float]:
    """Of a PNG by its own resolution; of one that has none at 96 pixels to the inch."""
    size = struct.unpack(">II", content[16:24])
    at = content.find(b"pHYs")
    density = struct.unpack(">II", content[at + 4 : at + 12]) if at > 0 else (96 / 0.0254,) * 2
    return size[0] / density[0] / 0.0254, size[1] / density[1] / 0.0254
