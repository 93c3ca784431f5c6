"""Made-up grids and their fits, each made once; a test that changes one copies it first."""

from __future__ import annotations

import functools
import json
import tempfile
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
import xarray as xr

from spectral_capacity.analysis.exponents import fit_exponents
from spectral_capacity.analysis.quantities import LINE
from spectral_capacity.memory.measured import DIMENSIONS, SWEPT_SCHEMA
from spectral_capacity.results.schema import RATE_FACTOR
from tests.unit.figures import transformers

N = 2000
FAMILIES = {"gd": "gradient", "muon": "muon", "newton": "newton"}
BATCHES = (np.inf, 1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0)  # the population need not be last
CONSTANT = {"scale": 1.0, "d_power": 0.5, "schedule": "constant"}
FIT = {
    "largest": 3,
    "bootstrap": 50,
    "confidence": 0.95,
    "n_items": N,
    "root_seed": 0,
    "frequencies": None,
    "own_embeddings": None,
    "gradient": "exact",
    "prefix_share": 0.95,
    "learning_rates": defaultdict(lambda: CONSTANT),  # of any optimizer
    "maps": defaultdict(lambda: None),
}


def needed(figure, **coordinates):
    """What this figure draws, as it takes it: a grid and its fits that have all that it needs."""
    roles = len(figure.SHOWS) if isinstance(figure.SHOWS, dict) else 0
    if figure.KIND == "incontext":
        one = transformers.measured(**coordinates), None
        return tuple([x] * roles for x in one) if roles else one
    needs = {*figure.NEEDS}
    if "sweep" in needs:
        several = {
            "batch_size": (np.inf, 16.0, 256.0, 4096.0),
            "alpha": (1.5,),
            "step": range(1, 4),
        }
        one = swept(**(several if "finite" in needs else {}) | coordinates)
    elif "polar" in needs:
        one = maps(**coordinates)
    elif "batches" in needs:
        wanted = {"batch_size": BATCHES, "alpha": (1.5,), "d": (32, 64, 128)}
        one = measured(**wanted | coordinates)
    elif "one step" in needs:
        wanted = {"optimizer": ("muon", "newton"), "kappa": (0.0, 2.0), "d": (32, 64, 128)}
        one = measured(**wanted | coordinates)
    elif needs & {"finite", "momentum"}:
        wanted = {"batch_size": (np.inf, 4.0, 32.0), "alpha": (1.5,), "step": range(1, 5)}
        one = measured(**wanted | coordinates)
    else:
        one = measured(**{"step": range(1, 5)} | coordinates)
    return tuple([x] * roles for x in one) if roles else one


@functools.cache
def drawn(figure):
    """The figure of what it needs, drawn as it is saved, once for all tests that only look."""
    made = figure.plot(*needed(figure))
    made.draw_without_rendering()
    return made


@functools.cache
def measured(**coordinates):
    """A grid with these coordinates, as tuples or ranges, and its fits."""
    grid = synthetic(**coordinates)
    return grid, fitted(grid)


RATES = (0.25, 0.5, 1.0, 2.0, 4.0)


@functools.cache
def swept(**coordinates):
    """The same at several learning rates, best at twice the configured one, and its fits."""
    seeds = range(len(coordinates.get("seed", range(3))) + 1)  # one that chooses
    one = synthetic(**coordinates | {"seed": seeds})
    factor = xr.DataArray([*RATES], {RATE_FACTOR: [*RATES]}, RATE_FACTOR)
    off = np.log2(factor / 2) ** 2
    grid = one.assign(
        capacity=(one.capacity / (1 + off / 4)).round(),
        loss=one.loss * (1 + off),
        worst_item_loss=one.worst_item_loss * factor,
        status=one.status + xr.zeros_like(factor, np.int8),
    )
    made = json.loads(one.attrs["provenance"])["configuration"]["definitions"]
    sweep = {"factors": [*RATES], "by": "loss", "step": None, "tuning_seeds": 1}
    rates = {name: {"learning_rate": CONSTANT | {"sweep": sweep}} for name in made}
    grid = described(grid.transpose(*SWEPT_SCHEMA.dimensions), definitions=rates)
    return grid, fitted(grid)


def fitted(grid):
    families = {name: FAMILIES[name.split("_")[0]] for name in grid.optimizer.values.tolist()}
    settings = FIT | {
        "theory": families,
        "options": {name: {} for name in families},
        "learning_rates": dict.fromkeys(families, CONSTANT),
        "maps": dict.fromkeys(families),
        "steps": grid.step.size,
    }
    with warnings.catch_warnings(action="ignore"):  # of fits, not of figures
        fits = fit_exponents(grid, settings)
    return described(fits, **settings)


def synthetic(**coordinates):
    """The least of what the theory allows at a step, a ceiling and the items seen; seeds differ."""
    defaults = {
        "optimizer": ["gd", "muon"],
        "alpha": [1.5, 2.0],
        "kappa": [0.0],
        "d": [16, 32, 64],
        "batch_size": [np.inf],
        "seed": range(3),
        "step": [1],
    }
    coords = {dim: list((defaults | coordinates)[dim]) for dim in tuple(DIMENSIONS)}
    noise = xr.DataArray(0.0, coords, tuple(DIMENSIONS))
    noise += np.random.default_rng(0).uniform(0.8, 1.25, noise.shape)
    d, alpha, slow = noise.d.astype(float), noise.alpha, noise.optimizer == "gd"
    gain = 1 - (1 - 1 / (2 * alpha)) ** noise.step
    reached = np.minimum(xr.where(slow, 3 * d**gain, 0.3 * d ** (1 + gain)), 0.05 * d**2)
    counts = noise * np.minimum(reached, 1.2 * (noise.step * noise.batch_size) ** (1 / alpha))
    values = {
        "status": xr.zeros_like(noise, dtype=np.int8),
        "capacity": counts.round(),
        "prefix_capacity": (counts / 2).round(),
        "robust_prefix": (0.7 * counts).round(),
        "head_recall": 1 / (1 + 1 / counts),
        "forgotten": (0.2 * counts * (noise.step - 1)).round(),
        "recovered_mass": 1 - 1 / (1 + counts),
        "items_seen": counts.round() + 1,
        "signal_slope": d**1.5 * noise,
        "logit_noise": d**-0.5 * noise,
        "loss": 5 * counts ** (1 - alpha),
        "best_loss": 5 * counts ** (1 - alpha),
        "worst_item_loss": 15 * noise,
        "best_worst_item_loss": 20 * noise,
        "gradient_norm": noise,
        "momentum_norm": 2 * noise,
        "momentum_bulk_singular_value": 6 * d**-alpha * noise,
        "sigma_max": 0.5 * noise,
        "bulk_singular_value": 2 * d**-alpha * noise,
        "sigma_min": 0.01 * d**-alpha * noise,
        "mean_inverse_singular_value": 9 * d**alpha * noise,
    }
    grid = xr.Dataset(values).transpose(*tuple(DIMENSIONS))
    rates = {name: {"learning_rate": CONSTANT} for name in grid.optimizer.values.tolist()}
    table = {"file": str(words()), "tail_from": 100}
    return described(
        grid, frequencies=table, definitions=rates, gradient="exact", prefix_share=0.95
    )


def described(grid, **configuration):
    """The grid as if made with this configuration."""
    known = json.loads(grid.attrs.get("provenance", "{}")).get("configuration", {"n_items": N})
    text = json.dumps({"configuration": known | configuration})
    return grid.assign_attrs(provenance=text)


@functools.cache
def words():
    """A table of counts that are a power law."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "words.csv"
    path.write_text("count\n" + "\n".join(str(1e6 * r**-1.5) for r in range(1, N + 1)) + "\n")
    words.folder = folder  # goes with the process
    return path


def ended(grid, after, status, **where):
    """The grid with the runs at ``where`` ended after a step."""
    here = grid.step > after
    for dim, value in where.items():
        here = here & (grid[dim] == value)
    recalled = ("capacity", "robust_prefix", "head_recall", "forgotten")
    left = {name: grid[name].where(~here) for name in recalled}
    return grid.assign(left | {"status": grid.status.where(~here, np.int8(status))})


def fewer(grid, factor):
    """The grid with this many times fewer items recovered, at least one."""
    counts = ("capacity", "robust_prefix")
    return grid.assign({name: (grid[name] / factor).round().clip(1) for name in counts})


def newton_schulz(coefficients, iterations):
    options = {"name": "newton_schulz", "coefficients": coefficients, "iterations": iterations}
    return {"map": options}


def smoothed(resolution, unit="bulk"):
    return {"map": {"name": "smoothed_polar", "resolution": resolution, "unit": unit}}


MAPS = {
    "muon": {"map": {"name": "polar"}},
    "gd": {},
    **{f"ns_{k}": newton_schulz("jordan", k) for k in (9, 1, 3, 5, 7)},
    "soft_b": smoothed(1.0),
    "soft_a": smoothed(0.01),
    "soft_c": smoothed(100.0),
    "soft_theory": smoothed("theory"),
}


def enough_iterations(k, alpha, d, seed):
    """A ratio that comes to 0.95 where the law of the iterations says, with an offset of 0.5."""
    return min(1.2, 0.45 + 0.05 * (k + 9.5 - alpha * np.log(d) / np.log(3.4445)))


def maps(ratio=enough_iterations, definitions=MAPS, alpha=(1.5, 2.0), d=(16, 64), seed=range(3)):
    """Counts relative to the polar map's 100·d: ``ratio`` with Newton–Schulz, less with a larger λ.

    The fits have what figures of maps read, the prediction being the first seed's counts.
    """

    def share(name, *where):
        options = definitions[name].get("map") or {}
        if "iterations" in options:
            return ratio(options["iterations"], *where)
        resolution = options.get("resolution", 0.0 if options else 81.0)
        return 1 / (1 + np.sqrt(1.0 if resolution == "theory" else resolution))

    values = {"optimizer": definitions, "alpha": alpha, "kappa": [0.0], "d": d}
    values |= {"batch_size": [np.inf], "seed": seed, "step": [1]}
    coords = {dim: list(values[dim]) for dim in tuple(DIMENSIONS)}
    counts = xr.DataArray(0.0, coords, tuple(DIMENSIONS))
    for i in np.ndindex(counts.shape):
        name, *where = (counts[i][dim].item() for dim in ("optimizer", "alpha", "d", "seed"))
        counts[i] = round(100 * where[1] * share(name, *where))
    grid = described(xr.Dataset({"capacity": counts}), definitions=definitions)
    family = [{"muon": "muon", "gd": "gradient"}.get(name, "none") for name in definitions]
    predicted = counts.isel(seed=0, drop=True).transpose(*LINE, "d")
    return grid, xr.Dataset({"predicted_capacity": predicted, "family": ("optimizer", family)})


def bars(axes):
    """Points with error bars, in the order they were drawn."""
    return [c for c in axes.containers if hasattr(c, "has_yerr")]


def ends(container):
    """Lower and upper ends of vertical error bars, a row per point."""
    return np.array([segment[:, 1] for segment in container[2][0].get_segments()])


def lines(axes, **wanted):
    """Lines with these properties."""

    def matches(line):
        return all(getattr(line, f"get_{key}")() == value for key, value in wanted.items())

    return [line for line in axes.lines if matches(line)]


def texts(figure):
    """Every text of a figure."""
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
