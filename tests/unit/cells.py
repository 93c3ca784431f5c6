"""Settings of cells, and optimizers beside what the oracle makes of a gradient."""

import numpy as np

from tests import oracle

GD = {"rule": "gradient", "learning_rate": {"scale": 1.0, "d_power": 0.0}}
MUON = {
    "rule": "spectral",
    "map": {"name": "polar"},
    "learning_rate": {"scale": 2.0, "d_power": 0.5},
}
RULES = {"gd": (GD, lambda G: G), "muon": (MUON, oracle.polar)}
RATE = {"learning_rate": {"scale": 1.0, "d_power": 0.0}}


def spectral(h):
    """A rule of the oracle: h on the singular values above rounding."""

    def rule(G):
        A, sigma, B = np.linalg.svd(G)
        keep = sigma > sigma[0] * len(sigma) * np.finfo(float).eps
        return (A[:, keep] * h(sigma[keep])) @ B[keep]

    return rule


def jordan(G):
    def h(z):
        z = z / np.linalg.norm(G)
        for _ in range(6):
            z = 3.4445 * z - 4.7750 * z**3 + 2.0315 * z**5
        return z

    return spectral(h)(G)


OTHERS = {
    "smoothed": (
        {"rule": "spectral", "map": {"name": "smoothed_polar", "resolution": 0.01}},
        spectral(lambda z: z / np.hypot(z, 0.01)),
    ),
    "power": (
        {"rule": "spectral", "map": {"name": "power", "exponent": 0.5}},
        spectral(np.sqrt),
    ),
    "newton_schulz": (
        {"rule": "spectral", "map": {"name": "newton_schulz", "iterations": 6}},
        jordan,
    ),
    "sign": ({"rule": "sign"}, np.sign),
}


def cell(
    optimizer,
    n,
    d,
    alpha=1.5,
    kappa=0.0,
    seeds=(0,),
    batch_sizes=(np.inf,),
    loss=None,
    steps=1,
    gradient="exact",
    rate_factors=None,
):
    return {
        "frequencies": None,
        "root_seed": 0,
        "gradient": gradient,
        "steps": steps,
        "early_stop": None,
        "prefix_share": 0.95,
        "loss_factors": loss,
        "rate_factors": rate_factors,
        "name": "x",
        "optimizer": optimizer,
        "n_items": n,
        "d": d,
        "alpha": alpha,
        "kappa": kappa,
        "batch_sizes": [float(size) for size in batch_sizes],
        "seeds": list(seeds),
    }
