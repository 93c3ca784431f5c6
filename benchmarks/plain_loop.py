"""The runs of config/outside.yaml again: a plain loop in float64, with nothing of the package but its draws.

    snakemake --configfile config/outside.yaml
    python benchmarks/plain_loop.py muon_95_sixteenth
    python benchmarks/plain_loop.py adam_quarter

Every logit, softmax and gradient row by row of blocks in NumPy; the polar factor by a singular value
decomposition. Prints the loss after every tenth step beside that of the grid, and how far they are apart.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from spectral_capacity.embeddings import load_embeddings
from spectral_capacity.results.reading import open_grid
from spectral_capacity.results.swept_rates import configured_rates

BLOCK = 200
"""Rows of logits at a time."""


def loss_and_gradient(W, U, V, p):
    """L = Σ p_i (log Σ_j exp s_ij − s_ii) and −∇L, s = U Wᵀ Vᵀ."""
    loss, G = 0.0, np.zeros_like(W)
    for start in range(0, len(U), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(U)))
        s = U[rows] @ W.T @ V.T
        own = s[np.arange(rows.size), rows]
        top = s.max(axis=1, keepdims=True)
        pi = np.exp(s - top)
        total = pi.sum(axis=1, keepdims=True)
        loss += float(p[rows] @ (np.log(total[:, 0]) + top[:, 0] - own))
        G += ((V[rows] - pi @ V / total) * p[rows, None]).T @ U[rows]
    return loss, G


def muon(d, momentum=0.95):
    """Heavy-ball momentum and the exact polar factor."""
    M = np.zeros((d, d))

    def direction(G, t):
        nonlocal M
        M = momentum * M + G
        left, _, right = np.linalg.svd(M)
        return left @ right

    return direction


def adam(d, b1=0.9, b2=0.999, eps=1e-8):
    """Adam with its corrections of the beginning."""
    m, v = np.zeros((2, d, d))

    def direction(G, t):
        nonlocal m, v
        m, v = b1 * m + (1 - b1) * G, b2 * v + (1 - b2) * G**2
        return m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + eps)

    return direction


RULES = {"muon": muon, "adam": adam}


def main() -> None:
    """Run one optimizer of a constant learning rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("optimizer", help="its name in the grid, which begins with muon or adam")
    parser.add_argument("--results", type=Path, default=Path("results-outside"))
    parser.add_argument("--steps", type=int, help="fewer than the grid has")
    given = parser.parse_args()
    grid = open_grid(given.results / "grids/outside.nc").sel(optimizer=[given.optimizer])
    of_grid, d, eta = grid.loss.values.squeeze(), grid.d.item(), configured_rates(grid).item()
    (path,) = given.results.glob(f"embeddings/*_d{d}_*.nc")
    U, V = (np.asarray(side, np.float64) for side in load_embeddings(path, seed=0))
    p = np.arange(1, len(U) + 1.0) ** -grid.alpha.item()
    p /= p.sum()
    W, rule = np.zeros((d, d)), RULES[given.optimizer.partition("_")[0]](d)
    start = time.perf_counter()
    _, G = loss_and_gradient(W, U, V, p)
    for t in range(1, (given.steps or of_grid.size) + 1):
        W += eta * rule(G, t)
        loss, G = loss_and_gradient(W, U, V, p)
        if t % 10 == 0 or t == 1:
            ours = of_grid[t - 1]
            print(
                f"step {t}: {loss:.6f}, grid {ours:.6f}, apart {abs(loss / ours - 1):.0e}",
                flush=True,
            )
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
