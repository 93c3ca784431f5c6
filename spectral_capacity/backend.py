"""The one place where JAX is configured: 64-bit types, device choice, compilation cache.

Numerical modules import ``jax`` and ``jnp`` from here, so that no array can be made before
64-bit types are on: in 32 bits the polar factor of an ill-conditioned gradient is wrong.
"""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import Literal

# XLA sizes its thread pool from NPROC. A job that was given one core must not start a pool of
# all of them beside its neighbours; Snakemake announces a job's cores in OMP_NUM_THREADS.
if "OMP_NUM_THREADS" in os.environ:
    os.environ.setdefault("NPROC", os.environ["OMP_NUM_THREADS"])

import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)

__all__ = [
    "HIGHEST",
    "describe",
    "jax",
    "jnp",
    "processor",
    "start",
    "use_compilation_cache",
    "use_device",
]

HIGHEST = jax.lax.Precision.HIGHEST
"""Matrix products in the type they say: no TF32 or bfloat16 passes on accelerators."""


def start(
    device: Literal["auto", "cpu", "gpu"], results: str | Path, all_devices: bool = False
) -> int:
    """Begin a job: its device, and a compilation cache below the folder of results.

    Gives how many devices may share the rows of a softmax: all of the kind that computes, or one.
    """
    use_device(device)
    use_compilation_cache(Path(results, ".jax_cache"))
    return len(jax.devices()) if all_devices else 1


def use_device(device: Literal["auto", "cpu", "gpu"]) -> None:
    """Choose where arrays live, before the first one is made.

    The CPU backend stays available beside a GPU: embeddings are always drawn there, so that
    their bits do not depend on the device. Raises RuntimeError when ``gpu`` is asked for and
    JAX finds none.
    """
    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")
    elif device == "gpu":
        try:
            jax.devices("gpu")
        except RuntimeError as error:
            raise RuntimeError(
                "device: gpu was asked for, but JAX sees no GPU here. Install for CUDA "
                "(make env CUDA=1) or set device: auto or cpu."
            ) from error


def use_compilation_cache(root: str | Path) -> None:
    """Keep compiled programs below ``root``, shared by all jobs of one kind of processor.

    Code compiled for one CPU can be illegal on another, and clusters mix them: the processor's
    feature flags are part of the folder's name.
    """
    folder = Path(root) / _processor()
    folder.mkdir(parents=True, exist_ok=True)
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def describe() -> dict[str, str]:
    """Name the device that computes: ``{"backend": …, "device": …}``."""
    device = jax.devices()[0]
    return {"backend": device.platform, "device": device.device_kind}


def processor() -> dict[str, str]:
    """What the last bits of a result may depend on beside the device: kind of processor, threads."""
    threads = os.environ.get("OMP_NUM_THREADS", "")
    return {"processor": _processor(), "threads": threads}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        flags = next(line for line in lines if line.startswith(("flags", "Features")))
    except (OSError, StopIteration):
        flags = platform.processor()
    digest = hashlib.sha256(f"{platform.machine()} {flags}".encode()).hexdigest()[:12]
    return f"{platform.machine()}-{digest}"
