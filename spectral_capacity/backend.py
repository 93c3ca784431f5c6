"""The one place where JAX is configured: types, precision, device choice, compilation cache.

Numerical modules import ``jax`` and ``jnp`` from here, so that no array can be made before
64-bit types are on: in 32 bits the polar factor of an ill-conditioned gradient is wrong.
"""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import Literal, TypeVar

# XLA sizes its thread pool from NPROC. A job that was given one core must not start a pool of
# all of them beside its neighbours; Snakemake announces a job's cores in OMP_NUM_THREADS.
if "OMP_NUM_THREADS" in os.environ:
    os.environ.setdefault("NPROC", os.environ["OMP_NUM_THREADS"])

# Several jobs may share one GPU: none may take all of its memory at the start.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

# A GPU's sums in the same order every time: no atomic additions, no kernels chosen by the clock. Who sets
# the flag otherwise is heard.
if "--xla_gpu_deterministic_ops" not in os.environ.get("XLA_FLAGS", ""):
    flags = [os.environ.get("XLA_FLAGS", ""), "--xla_gpu_deterministic_ops=true"]
    os.environ["XLA_FLAGS"] = " ".join(filter(None, flags))

import jax
import jax.numpy as jnp

from spectral_capacity.devices import NO_GPU, cards, take

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")  # of users' maps, too: no TF32

__all__ = [
    "HIGHEST",
    "QUICKLY",
    "by_device",
    "computing",
    "describe",
    "jax",
    "jnp",
    "processor",
    "seconds_compiling",
    "start",
    "use_compilation_cache",
    "use_device",
]

HIGHEST = jax.lax.Precision.HIGHEST
"""Matrix products in the type they say: no TF32 or bfloat16 passes on accelerators."""

QUICKLY = {"xla_backend_optimization_level": 1}
"""``compiler_options`` of large programs of small operations: a quarter less time to compile, and none lost in
running them, as measured on a CPU. Loops over large arrays may want better code."""

T = TypeVar("T")


def start(
    device: Literal["auto", "cpu", "gpu"], results: str | Path, all_devices: bool = False
) -> int:
    """Begin a job: its device, and a compilation cache below the folder of results.

    Without ``all_devices`` a job takes one device, of several the one that the fewest other jobs have
    (:func:`devices.take`). Gives how many may share the rows of a softmax: one, or all of the kind that
    computes.
    """
    several = [] if device == "cpu" or all_devices else cards()
    if len(several) > 1:
        # Before JAX starts: it makes a context, some hundred megabytes, on every card that it sees.
        jax.config.update("jax_cuda_visible_devices", str(take(several)))
    use_device(device)
    use_compilation_cache(Path(results, ".jax_cache"))
    found = jax.devices()
    if all_devices:
        return len(found)
    if len(found) > 1:  # of another kind, which cannot be counted before
        names = [f"{device.platform}{device.id}" for device in found]
        jax.config.update("jax_default_device", found[take(names)])
    return 1


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
            raise RuntimeError(NO_GPU) from error


def computing(count: int = 1) -> tuple[jax.Device, ...]:
    """The devices that compute: the one that this job has taken, or the first ``count``."""
    taken = jax.config.jax_default_device
    if count == 1 and isinstance(taken, jax.Device):
        return (taken,)
    return tuple(jax.devices()[:count])


def by_device(*, cpu: T, gpu: T) -> T:
    """Of two sizes the one for the device that computes: what fits a core's caches, or fills a card."""
    return cpu if computing()[0].platform == "cpu" else gpu


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


def seconds_compiling() -> float:
    """Seconds that this process has spent on tracing, lowering and compiling programs, or finding them in
    the cache, so far."""
    return sum(_compiling)


_compiling: list[float] = []


def _note(event: str, seconds: float, **_: object) -> None:
    if event.startswith("/jax/core/compile/"):
        _compiling.append(seconds)


jax.monitoring.register_event_duration_secs_listener(_note)


def describe() -> dict[str, str]:
    """Name the device that computes: ``{"backend": …, "device": …}``."""
    (device,) = computing()
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
