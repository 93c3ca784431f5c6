"""The softmax gradient of a trained memory: how fast, and in how much memory.

    python benchmarks/softmax_gradient.py [--threads 2 1] [--d 32 64 128] [--full] [--without-torch]

First table, N = 16,384 items against each other, in item pairs per second, the best of several turns:
the whole step (`softmax_gradient`: gradient, loss and margins of all items, the heavy ones in float64), its
attention pass alone (`competitor_softmax`), and torch's fused attention on the same queries, keys and
values in the same process with as many threads. The floor is the two products of the attention alone, 4d
operations a pair, in tiles of the same shapes. torch is given W u_i and gives back the mean only.

Second table, N = 250,000, d = 128: peak resident memory beyond the embeddings, programs included, of a
step whose weights are those of 16,384 items drawn at random. Time and the arrays with one row per item are
extrapolated to all items; ``--full`` runs them.

The memory W is that of three thresholded Muon steps at α = 1.5. PyTorch is not in the lock: pip install
'torch==2.13.0'.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from spectral_capacity.backend import HIGHEST, describe, jax, jnp
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.competitors import competitor_softmax, tile_shape
from spectral_capacity.memory.recall import recall
from spectral_capacity.memory.softmax_gradient import softmax_gradient
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.maps import polar
from spectral_capacity.sampling.frequencies import power_law

ALPHA = 1.5
SPEED_ITEMS = 16_384
MEMORY_ITEMS, MEMORY_D = 250_000, 128


def embeddings(n: int, d: int) -> Associations:
    def draw(key):
        return jax.random.normal(key, (n, d), jnp.float32) / np.float32(np.sqrt(d))

    return Associations(
        *(draw(key).block_until_ready() for key in jax.random.split(jax.random.key(0)))
    )


def trained(data: Associations, p: np.ndarray, steps: int = 3) -> np.ndarray:
    """W after a few Muon steps, each on the items that are not recovered yet."""
    d = data.U.shape[1]
    W, left = np.zeros((d, d)), p
    for step in range(1, steps + 1):
        gradient = Gradient(data.initial_gradient(left))
        W = W + np.sqrt(d) * polar(gradient, StepContext(d, ALPHA, np.inf, step))
        left = np.where(recall(W, data.U, data.V).recovered, 0.0, p)
    return W


def best_of(functions: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Shortest wall times; the functions take turns, so that a busy moment hits all of them."""
    times = dict.fromkeys(functions, np.inf)
    for turn in range(repeats + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if turn:  # the first one compiles
                times[name] = min(times[name], time.perf_counter() - start)
    return times


def products(data: Associations) -> Callable[[], object]:
    """The arithmetic of the attention and nothing else: both products of every tile."""
    n, d = data.V.shape
    rows, columns = (min(side, n) for side in tile_shape(4))

    @jax.jit
    def run(X, V):
        def tile(k, total):
            r, c = k // (n // columns), k % (n // columns)
            x = jax.lax.dynamic_slice_in_dim(X, r * rows, rows)
            v = jax.lax.dynamic_slice_in_dim(V, c * columns, columns)
            logits = jnp.matmul(x, v.T, precision=HIGHEST)
            return total + jnp.matmul(logits, v, precision=HIGHEST)

        count = (n // rows) * (n // columns)
        return jax.lax.fori_loop(0, count, tile, jnp.zeros((rows, d), jnp.float32))

    return lambda: run(data.U, data.V).block_until_ready()


def torch_attention(
    W: np.ndarray, data: Associations, threads: int, where: str = "cpu"
) -> Callable[[], object]:
    import torch

    torch.set_num_threads(threads)
    queries = np.asarray(data.U, np.float64) @ W.T
    arrays = (np.array(a, np.float32) for a in (queries, data.V))
    x, v = (torch.from_numpy(array).to(where)[None, None] for array in arrays)

    def run():
        with torch.no_grad():
            found = torch.nn.functional.scaled_dot_product_attention(x, v, v, scale=1.0)
            return found[0, 0, 0, 0].item()  # waits for a card

    return run


def speed(d: int, threads: int, repeats: int, with_torch: bool) -> str:
    n = SPEED_ITEMS
    data, p = embeddings(n, d), power_law(n, ALPHA)
    W = trained(data, p)
    steps = {
        "step": lambda: softmax_gradient(W, data, p),
        "attention": lambda: competitor_softmax(W, data, np.arange(n), means=True),
        "floor": products(data),
    }
    if with_torch:
        steps["torch"] = torch_attention(W, data, threads)
    seconds = best_of(steps, repeats)
    share = softmax_gradient(W, data, p).in_float64 / n
    rates = {name: n**2 / t / 1e9 for name, t in seconds.items()}
    cells = [f"{threads:7}{d:5}", *(f"{rates[name]:11.3f}" for name in ("step", "attention"))]
    if with_torch:
        ratios = (rates["step"] / rates["torch"], rates["attention"] / rates["torch"])
        cells += [f"{rates['torch']:9.3f}", *(f"{ratio:10.2f}x" for ratio in ratios)]
    cells += [f"{rates[name] / rates['floor']:11.0%}" for name in ("step", "attention")]
    return "".join([*cells, f"{4 * d * rates['floor']:9.0f}", f"{share:11.1%}"])


def speed_header(with_torch: bool) -> str:
    names = [f"{'threads':>7}{'d':>5}", *(f"{name:>11}" for name in ("step", "attention"))]
    if with_torch:
        names += [f"{'torch':>9}", f"{'step/t.':>11}", f"{'att./t.':>11}"]
    names += [f"{name:>11}" for name in ("step/floor", "att./floor")]
    return "".join([*names, f"{'GFLOP/s':>9}", f"{'in float64':>11}"])


def resident(name: str) -> int:
    """A line of the process's status in bytes: VmRSS, now, or VmHWM, its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith(name)))


def footprint(full: bool) -> str:
    n, d, rows = MEMORY_ITEMS, MEMORY_D, MEMORY_ITEMS if full else SPEED_ITEMS
    before = resident("VmRSS") + 2 * n * d * 4
    data, p = embeddings(n, d), power_law(n, ALPHA)
    W = trained(data, p)
    q = np.where(np.random.default_rng(0).permutation(n) < rows, p, 0.0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    for _ in range(1 if full else 3):  # the first one compiles, which is nothing to a full step
        start = time.perf_counter()
        found = softmax_gradient(W, data, q)
        elapsed = time.perf_counter() - start
    beyond = resident("VmHWM") - before
    # One row per item: its mean, and seven numbers in float64 while heads are chosen.
    per_item = 4 * d + 7 * 8
    rest = (n - rows) * per_item
    lines = [
        f"N = {n}, d = {d}, {rows} rows, {found.in_float64} of them in float64",
        f"  embeddings              {2 * n * d * 4 / 2**30:8.2f} GiB",
        f"  peak beyond them        {beyond / 2**30:8.2f} GiB   measured",
        f"  time of the step        {elapsed:8.1f} s     measured",
    ]
    if not full:
        lines += [
            f"  peak, all rows          {(beyond + rest) / 2**30:8.2f} GiB   extrapolated",
            f"  time, all rows          {elapsed * n / rows:8.1f} s     extrapolated",
        ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--d", type=int, nargs="+", default=[32, 64, 128])
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--without-torch", action="store_true")
    parser.add_argument("--full", action="store_true", help="the whole step of N = 250,000")
    parser.add_argument("--part", choices=["speed", "memory"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part == "speed":
        for d in options.d:
            print(
                speed(d, options.threads[0], options.repeats, not options.without_torch), flush=True
            )
    elif options.part == "memory":
        print(footprint(options.full))
    else:
        print(f"{describe()}; billions of item pairs a second, N = {SPEED_ITEMS}")
        print(speed_header(not options.without_torch), flush=True)
        for threads in options.threads:
            again(threads, "--part", "speed", "--threads", str(threads))
        print()
        again(max(options.threads), "--part", "memory")


def again(threads: int, *arguments: str) -> None:
    """This program in a process of its own: XLA chooses its number of threads once."""
    environment = {**os.environ, "NPROC": str(threads), "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, __file__, *sys.argv[1:], *arguments]
    subprocess.run(command, check=True, env=environment)


if __name__ == "__main__":
    main()
