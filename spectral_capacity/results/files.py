"""Files that are whole or absent: atomic writes, and telling a truncated file from a finished one."""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike, *, expected_bytes: int = 0) -> Iterator[Path]:
    """A temporary name beside ``path`` that becomes ``path`` when the block ends well.

    The name is unique to host and process, so two copies of a job may run at once; ``os.replace``
    decides. On any error the temporary file goes and ``path`` stays as it was; what a killed
    process left behind goes when the same file is next written on that host. An error that looks
    like a full disk is raised as OSError and says how much was needed and was free.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.tmp")
    _remove_orphans(path)
    try:
        yield temporary
        if not is_complete(temporary, suffix=path.suffix):
            raise OSError(f"{path}: the file written is not complete")
        _flush_to_disk(temporary)
        os.replace(temporary, path)
        _damaged(path).unlink(missing_ok=True)
    except Exception as error:
        written = temporary.stat().st_size if temporary.exists() else 0
        free = shutil.disk_usage(path.parent).free
        temporary.unlink(missing_ok=True)
        # netCDF reports a full disk as "HDF error": look at the disk instead of the message.
        if free <= max(expected_bytes - written, 1 << 16):
            raise OSError(
                f"{path}: no space left on the disk: {free / 1e6:.1f} MB free after writing "
                f"{written / 1e6:.1f} MB of about {max(expected_bytes, written) / 1e6:.1f} MB. "
                "Nothing was kept; free some space and run again."
            ) from error
        raise
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def is_complete(path: str | os.PathLike, *, suffix: str | None = None) -> bool:
    """Whether a file ends where its format says it ends; reads a few bytes.

    Knows NetCDF-4 (HDF5's end-of-file address), PDF, SVG, PNG and HTML by their suffix; of other
    files only that they are not empty and, for text tables, that the last line is finished. Damage in
    the middle of a file is not seen.
    """
    path = Path(path)
    suffix = suffix or path.suffix
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(64)
            file.seek(max(0, size - 64))
            tail = file.read()
    except OSError:
        return False
    if suffix == ".nc":
        return _hdf5_size(head) == size
    endings = {".pdf": b"%%EOF", ".svg": b"</svg>", ".html": b"</html>"}
    if suffix in endings:
        return tail.rstrip().endswith(endings[suffix])
    if suffix == ".png":
        return tail.endswith(b"IEND\xaeB`\x82")
    if suffix == ".csv":
        return tail.endswith(b"\n")
    return size > 0


def set_aside(path: str | os.PathLike) -> str:
    """Move a file that is not whole out of the way; says where it is now and what follows.

    It goes when the file is next written.
    """
    path = Path(path)
    path.rename(_damaged(path))
    return f"set aside as {_damaged(path).name}, to be made again"


def _damaged(path: Path) -> Path:
    return path.with_name(f"{path.name}.damaged")


def _hdf5_size(head: bytes) -> int | None:
    """The end-of-file address in an HDF5 superblock with 8-byte offsets."""
    if len(head) < 64 or not head.startswith(b"\x89HDF\r\n\x1a\n"):
        return None
    offset = 40 if head[8] < 2 else 28
    return struct.unpack_from("<Q", head, offset)[0]


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_orphans(path: Path) -> None:
    pattern = re.compile(re.escape(f".{path.name}.{socket.gethostname()}.") + r"(\d+)\.tmp$")
    for sibling in path.parent.iterdir():
        match = pattern.match(sibling.name)
        if match and not Path("/proc", match[1]).exists() and Path("/proc/self").exists():
            sibling.unlink(missing_ok=True)
