"""Steps on a GPU beside what the card could do, and beside PyTorch on the same card.

    python benchmarks/gpu.py [--d 64 128 256 512 1024] [--items 100000] [--repeats 5]
    python benchmarks/gpu.py --device cpu --small     # whether it runs, where there is no GPU

Every time is a median, of calls that find their programs compiled. The first lines are what the card does
in a second: products of large matrices and exponentials (training/device_rates.py), and bytes copied.

First table, the cell of `one_step`, Muon, from embeddings in the host's memory to the count of recovered
items: to the card, gradient, decomposition on the host, recall. The floor is what any exact program of
this plan must do on the card: 2Nd² operations in float64, 2Nd² and for each recovered item 2Nd in float32,
and twice the embeddings from its memory.

Second table, the softmax gradient of a trained memory, N items against each other: 4N²d operations in
float32 and N² exponentials are the floor, and 4Nd in float64 for each item whose rounding asks for it.

Third table, the decomposition of a (d, d) gradient in float64, on the host with one thread and with all,
and on the card.

PyTorch is float32 and computes all N² logits; of the softmax it does the attention alone. It is not in the
lock.
What determinism costs: the same with XLA_FLAGS=--xla_gpu_deterministic_ops=false.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Sequence

import numpy as np
from one_step import ALPHA, seconds, torch_cell
from softmax_gradient import embeddings, torch_attention, trained

from spectral_capacity import backend
from spectral_capacity.backend import jax, jnp
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.recall import recall
from spectral_capacity.memory.softmax_gradient import softmax_gradient
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.maps import polar
from spectral_capacity.sampling.frequencies import power_law
from spectral_capacity.training.device_rates import measured_rates

SIZES = {False: ([64, 128, 256, 512, 1024], 100_000), True: ([16, 32], 4000)}
"""d and N, of a small run or not."""

THEIRS = ["  PyTorch", "PyTorch/ours"]
STEP = ["   d", "items", "   cell", "to card", "gradient", "  polar", " recall", "  floor"]
STEP += ["floor/(gradient+recall)", *THEIRS]
SOFTMAX = ["   d", "in float64", "     step", "    floor", "floor/step", *THEIRS]
SVD = ["   d", "host, one thread", "host, all threads", "     card"]
"""Columns of the three tables, milliseconds."""


def bandwidth(n_bytes: int) -> float:
    """Bytes a second, read and written, of a copy on the device."""
    x = jnp.ones(n_bytes // 4, jnp.float32)
    add = jax.jit(lambda x: x + 1)
    return 2 * n_bytes / seconds(lambda: add(x).block_until_ready(), 7)


def torch_device(wanted: bool) -> str | None:
    """Where PyTorch computes for comparison; None, and why, where it cannot."""
    if not wanted:
        return None
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: nothing to compare with.")
        return None
    if jax.default_backend() == "cpu":
        return "cpu"
    import torch

    if not torch.cuda.is_available():
        print("This PyTorch has no GPU: nothing to compare with.")
        return None
    return "cuda"


def one_step(d: int, n: int, repeats: int, rates: Sequence[float], torch: str | None) -> list[str]:
    """A row of the first table."""
    float64, float32, _, bytes_a_second = rates
    rng = np.random.default_rng(d)
    U, V = (rng.standard_normal((n, d), np.float32) / np.float32(np.sqrt(d)) for _ in "UV")
    p, context = power_law(n, ALPHA), StepContext(d, ALPHA, np.inf)
    data = Associations(*map(jax.device_put, (U, V)))
    G = data.initial_gradient(p)
    W = polar(Gradient(G), context)
    count = recall(W, data.U, data.V).capacity

    def cell():
        data = Associations(*map(jax.device_put, (U, V)))
        W = polar(Gradient(data.initial_gradient(p)), context)
        return recall(W, data.U, data.V).capacity

    parts = [
        seconds(part, repeats)
        for part in (
            cell,
            lambda: [jax.device_put(a).block_until_ready() for a in (U, V)],
            lambda: Associations(data.U, data.V).initial_gradient(p),
            lambda: polar(Gradient(G), context),
            lambda: recall(W, data.U, data.V),
        )
    ]
    arithmetic = 2 * n * d**2 / float64 + 2 * n * d * (d + count) / float32
    floor = max(arithmetic, 2 * (U.nbytes + V.nbytes) / bytes_a_second)
    computed = parts[2] + parts[4]
    row = [f"{d}", f"{count}", *map(milliseconds, parts), milliseconds(floor)]
    row.append(f"{floor / computed:.0%}")
    return row + beside(torch and (lambda: torch_cell(U, V, torch)), parts[0])


def softmax(d: int, n: int, repeats: int, rates: Sequence[float], torch: str | None) -> list[str]:
    """A row of the second table."""
    float64, float32, exponentials, _ = rates
    data, p = embeddings(n, d), power_law(n, ALPHA)
    W = trained(data, p)
    in_float64 = softmax_gradient(W, data, p).in_float64
    step = seconds(lambda: softmax_gradient(W, data, p), repeats)
    floor = 4 * n**2 * d / float32 + n**2 / exponentials + 4 * in_float64 * n * d / float64
    times = milliseconds(step), milliseconds(floor)
    row = [f"{d}", f"{in_float64}", *times, f"{floor / step:.0%}"]
    theirs = torch and torch_attention(W, data, os.cpu_count() or 1, torch)
    return row + beside(theirs, step)


def beside(theirs, ours: float) -> list[str]:
    """The time of a PyTorch program, and how many times ours it is."""
    if not theirs:
        return ["–", "–"]
    elapsed = seconds(theirs, 1)
    return [milliseconds(elapsed), f"{elapsed / ours:.1f}"]


def decomposition(d: int, repeats: int) -> list[str]:
    """A row of the third table."""
    G = np.random.default_rng(d).standard_normal((d, d))
    on_card = jax.device_put(G)
    times = [
        float(one_thread(d, repeats)),
        seconds(lambda: np.linalg.svd(G), repeats),
        seconds(lambda: jax.block_until_ready(jnp.linalg.svd(on_card)), repeats),
    ]
    return [f"{d}", *map(milliseconds, times)]


def one_thread(d: int, repeats: int) -> str:
    """Seconds of the host's decomposition in a job, which has one thread."""
    code = (
        "import time, numpy as np\n"
        f"G, times = np.random.default_rng(0).standard_normal(({d}, {d})), []\n"
        f"for _ in range({repeats} + 1):\n"
        "    start = time.perf_counter(); np.linalg.svd(G); times.append(time.perf_counter() - start)\n"
        "print(np.median(times[1:]))"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    return run.stdout.decode()


def milliseconds(value: float) -> str:
    return f"{1e3 * value:.2f}"


def table(title: str, names: Sequence[str], rows) -> None:
    """Print a table, a row as soon as it is there."""
    print(f"\n{title}, milliseconds")
    print("".join(f"{name:>{len(name) + 3}}" for name in names), flush=True)
    for row in rows:
        print("".join(f"{cell:>{len(name) + 3}}" for cell, name in zip(row, names, strict=True)))
        sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["gpu", "cpu"], default="gpu")
    parser.add_argument("--small", action="store_true", help="sizes of seconds, on a CPU too")
    parser.add_argument("--d", type=int, nargs="+")
    parser.add_argument("--items", type=int)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--without-torch", action="store_true")
    options = parser.parse_args()
    try:
        backend.use_device(options.device)
    except RuntimeError as error:
        print(f"Not run: {error}")
        return
    dimensions, n = SIZES[options.small]
    dimensions, n, repeats = options.d or dimensions, options.items or n, options.repeats
    torch = torch_device(not options.without_torch)

    started = time.monotonic()
    rates = (*measured_rates(), bandwidth(2**24 if options.small else 2**30))
    names = ("TFLOP/s float64", "TFLOP/s float32", "10¹² exponentials/s", "TB/s")
    print(f"{backend.describe()}, JAX {jax.__version__}, {os.cpu_count()} cores")
    print(", ".join(f"{rate / 1e12:.3f} {name}" for rate, name in zip(rates, names, strict=True)))
    table(
        f"One Muon step, N = {n}", STEP, (one_step(d, n, repeats, rates, torch) for d in dimensions)
    )
    some = min(n, 2048) if options.small else n
    rows = (softmax(d, some, repeats, rates, torch) for d in dimensions)
    table(f"A softmax gradient, N = {some}", SOFTMAX, rows)
    table("A decomposition in float64", SVD, (decomposition(d, repeats) for d in dimensions))
    print(f"\n{time.monotonic() - started:.0f} s in all")


if __name__ == "__main__":
    main()
