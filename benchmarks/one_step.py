"""One cell of the one-step experiment, end to end, beside what a user would write with PyTorch.

    python benchmarks/one_step.py [--d 256 512] [--items 100000] [--repeats 5] [--without-torch]

From stored embeddings to the count of recovered items, N = 100,000, Muon, one seed, both programs in this
process on the same data and all cores. The PyTorch program is float32 and computes all N² logits in
chunks. Ours is timed warm (compiled) and its parts singly; "cold" is the first call of the process,
with the compilation that a job's first seed pays when the compilation cache is empty.

The floor is the arithmetic that any exact program of this plan must do, at the rate of this machine's
matrix product (measured here, same types): gradient 2Nd² in float64; decomposition, as measured;
W u_i for all items 2Nd² in float32; and 2Nd for each item that is recovered, which must meet every
competitor.

PyTorch is not in the lock: pip install 'torch==2.13.0'.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from spectral_capacity.backend import describe, jax, jnp
from spectral_capacity.memory.associations import Associations
from spectral_capacity.memory.recall import recall
from spectral_capacity.optimizers.gradient import Gradient, StepContext
from spectral_capacity.optimizers.maps import polar
from spectral_capacity.sampling.embeddings import generate_embeddings, load_embeddings
from spectral_capacity.sampling.frequencies import power_law

ALPHA = 1.5


def our_cell(path: Path, n: int, d: int) -> int:
    U, V = map(jax.device_put, load_embeddings(path, 0))
    gradient = Gradient(Associations(U, V).initial_gradient(power_law(n, ALPHA)))
    W = polar(gradient, StepContext(d, ALPHA, np.inf))
    return recall(W, U, V).capacity


def torch_cell(U: np.ndarray, V: np.ndarray, where: str = "cpu") -> int:
    """What a user would write: float32, every logit, in chunks that fit the memory."""
    import torch

    n = len(U)
    with torch.no_grad():
        U, V = (torch.from_numpy(np.array(a)).to(where) for a in (U, V))
        p = torch.arange(1, n + 1, dtype=torch.float32, device=where) ** -ALPHA
        p /= p.sum()
        G = ((V - V.mean(0)) * p[:, None]).T @ U
        A, _, B = torch.linalg.svd(G)
        W = A @ B
        count = 0
        for start in range(0, n, 1000):
            logits = (U[start : start + 1000] @ W.T) @ V.T
            rows = torch.arange(len(logits), device=where)
            own = logits[rows, start + rows].clone()
            logits[rows, start + rows] = -torch.inf
            count += int((own > logits.max(1).values).sum())
        return count


def seconds(function: Callable[[], object], repeats: int) -> float:
    """Median wall time; the first call is not counted."""
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def gemm_rate(dtype) -> float:
    """Operations per second of a matrix product of this type, the best of a few."""
    A = jnp.ones((2048, 2048), dtype)
    product = jax.jit(lambda A: jnp.matmul(A, A, precision=jax.lax.Precision.HIGHEST))
    product(A).block_until_ready()
    best = np.inf
    for _ in range(7):
        start = time.perf_counter()
        product(A).block_until_ready()
        best = min(best, time.perf_counter() - start)
    return 2 * 2048**3 / best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--d", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--without-torch", action="store_true")
    options = parser.parse_args()
    rate64, rate32 = gemm_rate(jnp.float64), gemm_rate(jnp.float32)
    print(f"{describe()}, GEMM {rate64 / 1e9:.0f} (float64), {rate32 / 1e9:.0f} (float32) GFLOP/s")
    with tempfile.TemporaryDirectory() as folder:
        for d in options.d:
            run(Path(folder), options.items, d, options.repeats, rate64, rate32, options)


def run(folder, n, d, repeats, rate64, rate32, options) -> None:
    stores = {}
    for store in ("arrays", "keys"):
        stores[store] = folder / f"{store}{d}.nc"
        generate_embeddings(stores[store], n_items=n, d=d, seeds=[0], root_seed=0, store=store)
    start = time.perf_counter()
    count = our_cell(stores["arrays"], n, d)
    cold = time.perf_counter() - start

    U, V = map(jax.device_put, load_embeddings(stores["arrays"], 0))
    p = power_law(n, ALPHA)
    G = Associations(U, V).initial_gradient(p)
    W = polar(Gradient(G), StepContext(d, ALPHA, np.inf))
    parts = {
        "load, arrays": lambda: load_embeddings(stores["arrays"], 0),
        "load, keys (draws anew)": lambda: load_embeddings(stores["keys"], 0),
        "gradient": lambda: Associations(U, V).initial_gradient(p),
        "polar": lambda: polar(Gradient(G), StepContext(d, ALPHA, np.inf)),
        "recovery": lambda: recall(W, U, V),
    }
    timed = {name: seconds(part, repeats) for name, part in parts.items()}
    gemms = 2 * n * d**2 / rate64 + (2 * n * d**2 + 2 * n * d * count) / rate32
    floor = gemms + timed["polar"]
    ours = {store: seconds(lambda s=store: our_cell(stores[s], n, d), repeats) for store in stores}

    print(f"\nN = {n}, d = {d}: {count} items recovered")
    rows = [(f"  {name}", value, "") for name, value in timed.items()]
    rows += [("arithmetic floor", floor, "1.0")]
    rows += [(f"cell from {s}", t, f"{t / floor:.1f}") for s, t in ours.items()]
    rows += [("cell from arrays, cold", cold, f"{cold / floor:.1f}")]
    if not options.without_torch:
        start = time.perf_counter()
        theirs = torch_cell(*load_embeddings(stores["arrays"], 0))
        elapsed = time.perf_counter() - start
        rows += [(f"PyTorch ({theirs} items)", elapsed, f"{elapsed / floor:.0f}")]
        for store, t in ours.items():
            rows += [(f"PyTorch / cell from {store}", elapsed / t, "ratio")]
    print(f"{'':32}{'seconds':>10}{'x floor':>10}")
    for name, value, note in rows:
        print(f"{name:32}{value:10.3f}{note:>10}")


if __name__ == "__main__":
    main()
