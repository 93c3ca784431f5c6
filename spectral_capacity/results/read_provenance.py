"""What a file knows of where it comes from: ``python -m spectral_capacity.results.read_provenance FILE …``."""

from __future__ import annotations

import html
import json
import os
import re
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from spectral_capacity.results.files import is_complete
from spectral_capacity.results.netcdf import open_netcdf
from spectral_capacity.results.picture_metadata import FIELDS

USAGE = "usage: python -m spectral_capacity.results.read_provenance FILE ..."
WIDTH = 96
"""Of a line that holds more than one value."""


def read_provenance(path: str | os.PathLike) -> dict[str, Any]:
    """Configuration, code, versions, revision and device behind a cell, grid, fit, figure or page.

    A table knows nothing itself: its provenance is that of the file beside it, ``.nc`` or ``.html``. Raises
    FileNotFoundError, and ValueError for a file that is not whole, of another format, or not of this program.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if path.suffix == ".csv":
        return read_provenance(_beside(path))
    if path.suffix not in READERS:
        raise ValueError(f"{path}: provenance is in {', '.join(READERS)}, not in {path.suffix!r}")
    if not is_complete(path):
        raise ValueError(f"{path}: truncated")
    text = READERS[path.suffix](path)
    if not text or not text.startswith("{"):
        raise ValueError(f"{path}: has no provenance: not made by spectral-capacity, or an old one")
    return json.loads(text)


def readable(value: Any, indent: str = "") -> str:
    """JSON for people: what is short, and a list of plain values, in one line."""
    line = json.dumps(value, ensure_ascii=False)
    plain = isinstance(value, list) and not any(isinstance(item, dict | list) for item in value)
    if plain or not isinstance(value, dict | list) or len(indent) + len(line) <= WIDTH:
        return line
    deeper = f"{indent}  "
    if isinstance(value, dict):
        items = [f"{json.dumps(k)}: {readable(item, deeper)}" for k, item in value.items()]
    else:
        items = [readable(item, deeper) for item in value]
    first, last = "{}" if isinstance(value, dict) else "[]"
    between = f",\n{deeper}"
    return f"{first}\n{deeper}{between.join(items)}\n{indent}{last}"


def _beside(table: Path) -> Path:
    for suffix in (".nc", ".html"):
        if table.with_suffix(suffix).exists():
            return table.with_suffix(suffix)
    raise ValueError(f"{table}: a table; provenance is in the .nc or .html beside it, and none is")


def _of_netcdf(path: Path) -> str | None:
    with open_netcdf(path, ours=False) as file:
        return file.getncattr("provenance") if "provenance" in file.ncattrs() else None


def _of_png(path: Path) -> str | None:
    """The text chunk of that keyword."""
    data, place, keyword = path.read_bytes(), 8, FIELDS[".png"].encode() + b"\0"
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        body = data[place + 8 : place + 8 + size]
        if kind == b"tEXt" and body.startswith(keyword):
            return body[len(keyword) :].decode("latin-1")
        place += size + 12  # length, kind and checksum
    return None


def _of_svg(path: Path) -> str | None:
    name = f"{{http://purl.org/dc/elements/1.1/}}{FIELDS['.svg'].lower()}"
    for _, element in ElementTree.iterparse(path):
        if element.tag == name:
            return element.text
    return None


def _of_pdf(path: Path) -> str | None:
    """The field of the information dictionary, as Matplotlib writes it: neither compressed nor encrypted."""
    data = path.read_bytes()
    info = re.search(rb"/Info (\d+) 0 R", data[data.rfind(b"trailer") :])
    begin = data.rfind(b"\n%s 0 obj\n" % info[1]) if info else -1
    if begin < 0:
        return None
    written = data[begin : data.find(b"\nendobj", begin)]
    field = re.search(rb"/%s \(((?:[^\\()]|\\.)*)\)" % FIELDS[".pdf"].encode(), written, re.DOTALL)
    return re.sub(rb"\\(.)", rb"\1", field[1]).decode("latin-1") if field else None


def _of_html(path: Path) -> str | None:
    found = re.search(
        r'<meta name="provenance" content="([^"]*)">', path.read_text(encoding="utf-8")
    )
    return html.unescape(found[1]) if found else None


READERS: Mapping[str, Callable[[Path], str | None]] = {
    ".nc": _of_netcdf,
    ".png": _of_png,
    ".svg": _of_svg,
    ".pdf": _of_pdf,
    ".html": _of_html,
}
"""The text of the provenance by the suffix of a file; None where there is none."""


def main(paths: Sequence[str]) -> None:
    """Print the provenance of a file as JSON, of several as an object of them by path."""
    try:
        found = {path: read_provenance(path) for path in paths}
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    if not found:
        sys.exit(USAGE)
    try:
        print(readable(found if len(found) > 1 else found[paths[0]]), flush=True)
    except BrokenPipeError:  # as of head; Python would complain once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main(sys.argv[1:])
