"""Exponents: how a measured quantity grows with d, and how its exponent depends on α.

Every fit is a straight line in log–log coordinates, made by statsmodels. What differs is which points and
weights it uses; see :data:`FITS`. Intervals come twice: from the regression (does a line fit?) and
from resampling seeds (how far do the draws move it?). Neither knows of finite-size curvature, so
every fit stands beside the same fit of the parameter-free prediction.
"""

from __future__ import annotations

import math
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from jaxtyping import Float, Real

from spectral_capacity import theory
from spectral_capacity.frequencies import power_law
from spectral_capacity.outcomes import Status

FITS = {
    "ols": "ordinary least squares of the log of the mean over seeds, all d (the paper's fit)",
    "wls": "the same, weighted by the variance over seeds, phi * mean with one phi a line (counts only)",
    "glm": "quasi-Poisson regression of the single counts with log link; zeros count (counts only)",
    "largest": "ordinary least squares over the largest d's only",
    "corrected": "log y = a + C log d + b/d, all d, counts weighted as in wls: saturation taken out",
}

COUNTS_ONLY = {"wls", "glm"}

LINE = ("optimizer", "alpha", "kappa", "batch_size", "step")
"""A line of a capacity plot has these coordinates and runs over d; seeds are its spread."""

QUANTITIES = {
    "capacity": "recovered items",
    "bulk_singular_value": "singular value of the gradient at rank d/2",
    "mean_inverse_singular_value": "mean of 1/sigma of the gradient",
}

STATISTICS = {
    "exponent": "fitted exponent in d",
    "stderr": "standard error of the exponent, from the regression",
    "ci_low": "lower end of the regression's interval (t; normal for wls)",
    "ci_high": "upper end of the regression's interval (t; normal for wls)",
    "boot_low": "lower end of the interval over resampled seeds (percentiles)",
    "boot_high": "upper end of the interval over resampled seeds (percentiles)",
    "points": "number of d's used",
    "log_d": "mean of log d over the d's used",
    "theory": "asymptotic exponent of the theory",
    "finite_size": "the same fit of the parameter-free prediction at the same d's",
    "z": "(exponent - theory) / stderr",
}


LOCAL = {
    "local_exponent": "exponent between neighbouring d's",
    "local_exponent_low": "lower end of its interval over resampled seeds",
    "local_exponent_high": "upper end of its interval over resampled seeds",
}


@dataclass(frozen=True)
class Line:
    """The coefficient of log d with its standard error and interval, and the constant."""

    slope: float
    intercept: float = math.nan
    stderr: float = math.nan
    low: float = math.nan
    high: float = math.nan


def fit_line(
    X: Float[np.ndarray, "m k"],
    y: Float[np.ndarray, " m"],
    weights: Float[np.ndarray, " m"] | None = None,
    confidence: float = 0.95,
    *,
    known: bool = False,
) -> Line:
    """Weighted least squares of y on the columns of X, (1, log d, …).

    ``known`` says that the weights are inverse variances, not only proportional to them: the error is
    then theirs, whatever the residuals are. As many points as columns give a slope without error,
    fewer give NaN.
    """
    from statsmodels.regression.linear_model import WLS

    if X.shape[0] < X.shape[1]:
        return Line(math.nan)
    covariance = {"cov_type": "fixed scale", "use_t": False} if known else {}
    fit = WLS(y, X, weights=1.0 if weights is None else weights).fit(**covariance)
    intercept, slope = fit.params[:2]
    if fit.df_resid == 0:
        return Line(slope, intercept)
    low, high = fit.conf_int(alpha=1 - confidence)[1]
    return Line(slope, intercept, fit.bse[1], low, high)


def fit_counts(
    d: Real[np.ndarray, " m"], counts: Real[np.ndarray, "m s"], confidence: float = 0.95
) -> Line:
    """Quasi-Poisson regression of single counts on log d, log link; needs no log of a count."""
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools import add_constant
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    if (counts.sum(axis=1) > 0).sum() < 2:
        return Line(math.nan)
    if np.ptp(counts) == 0:  # statsmodels starts at the answer and then divides by zero
        return Line(0.0, math.log(counts.flat[0]))
    x = np.repeat(np.log(d), counts.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PerfectSeparationWarning)
        fit = GLM(counts.ravel(), add_constant(x), family=Poisson()).fit(scale="X2")
    intercept, slope = fit.params
    if fit.df_resid == 0 or fit.scale < 1e-12:  # nothing left over to tell an error from
        return Line(slope, intercept)
    low, high = fit.conf_int(alpha=1 - confidence)[1]
    return Line(slope, intercept, fit.bse[1], low, high)


def local_exponents(
    d: Real[np.ndarray, " m"], mean: Real[np.ndarray, "*b m"]
) -> Float[np.ndarray, "*b k"]:
    """Exponents between neighbouring d's, NaN beside a mean of zero; k = m − 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = np.diff(np.log(mean), axis=-1) / np.diff(np.log(d))
    return np.where(np.isfinite(slopes), slopes, np.nan)


def fit_exponents(grid: xr.Dataset, settings: Mapping[str, Any]) -> xr.Dataset:
    """All fits of a grid.

    ``settings``: ``largest, bootstrap, confidence`` of the configuration's ``fits``, ``n_items``,
    ``root_seed`` for the resampling, and ``theory``, for each optimizer ``muon``, ``gradient`` or
    ``none``. Returns :data:`STATISTICS` over (quantity, fit, *LINE), :data:`LOCAL` over
    (*LINE, interval), the mean and the predicted capacity over (*LINE, d), and the fit
    C(α) = c1 + c2/α. Two d's make an exponent, three an error; what cannot be had is NaN.
    """
    grid = grid.sortby("d")
    fits = xr.Dataset(
        {
            "mean_capacity": _over_lines(grid.capacity.mean("seed")),
            "predicted_capacity": _predicted_capacity(grid, settings),
        }
    )
    fits["mean_capacity"].attrs = {"long_name": "capacity, mean over seeds"}
    fits["flagged"] = _over_lines((grid.status != Status.OK).sum("seed"))
    fits["flagged"].attrs = {"long_name": "seeds whose status is not ok"}
    families = [settings["theory"][name] for name in grid.optimizer.values]
    fits = fits.assign_coords(family=("optimizer", families, {"long_name": "theory that applies"}))
    rows, local = [], []
    for quantity in QUANTITIES:
        for where in np.ndindex(tuple(grid.sizes[dim] for dim in LINE)):
            line = dict(zip(LINE, where, strict=True))
            at = {dim: grid[dim].values[i].item() for dim, i in line.items()}
            sample = grid[quantity].isel(line).transpose("d", "seed").values.astype(float)
            resampled = _resampled_means(
                sample, settings["bootstrap"], _stream(settings, quantity, at)
            )
            expected = None
            if quantity == "capacity":
                expected = fits.predicted_capacity.isel(line).values
                local.append(at | {"interval": _local(grid.d.values, sample, resampled, settings)})
            asymptotic = _asymptotic(quantity, settings["theory"][at["optimizer"]], at)
            for fit in FITS if quantity == "capacity" else FITS.keys() - COUNTS_ONLY:
                row = _fit(fit, grid.d.values, sample, resampled, expected, settings)
                z = (row["exponent"] - asymptotic) / row["stderr"]
                rows.append({"quantity": quantity, "fit": fit} | at | row)
                rows[-1] |= {"theory": asymptotic, "z": z}
    fits = _attach(fits, rows, ["quantity", "fit", *LINE], STATISTICS, grid)
    local = [line | entry for line in local for entry in line.pop("interval")]
    fits = _attach(fits, local, [*LINE, "interval"], LOCAL, grid)
    for coordinate, texts in (("fit", FITS), ("quantity", QUANTITIES)):
        fits[coordinate].attrs = {"meanings": "; ".join(f"{k}: {v}" for k, v in texts.items())}
    fits["interval"].attrs = {"long_name": "geometric mean of the two d's", "units": "1"}
    fits = fits.merge(_alpha_fit(fits, settings))
    for variable in fits.data_vars.values():
        variable.attrs["units"] = "1"
    return fits


def _attach(fits, rows, keys, names, grid):
    """Add rows as variables over their keys, in the order of the grid and of the tables above."""
    new = pd.DataFrame(rows, columns=[*keys, *names]).set_index(keys).to_xarray()
    order = {"quantity": [*QUANTITIES], "fit": [*FITS], **{dim: grid[dim].values for dim in LINE}}
    new = new.reindex({dim: order[dim] for dim in keys if dim in order})
    for name, text in names.items():
        new[name].attrs = {"long_name": text}
    return fits.merge(new, join="exact", compat="no_conflicts")


def _over_lines(array: xr.DataArray) -> xr.DataArray:
    return array.transpose(*LINE, "d")


def _fit(fit, d, sample, resampled, expected, settings):
    """One row of :data:`STATISTICS`; NaN for what the data or the fit cannot give."""
    row = dict.fromkeys(STATISTICS, math.nan)
    mean = sample.mean(axis=1)
    use = np.isfinite(mean) & (mean > 0)
    if fit == "largest":
        use &= d >= np.sort(d)[-min(settings["largest"], d.size)]
    if fit == "glm":
        use = np.isfinite(mean)
    row["points"] = int(use.sum())
    if use.sum() < 2:
        return row
    X = np.stack([np.ones(use.sum()), np.log(d[use])], axis=1)
    if fit == "corrected":
        X = np.column_stack([X, 1 / d[use]])
    weights, known = None, False
    if fit in ("wls", "corrected") and expected is not None:
        # var(log mean) = phi / (seeds * mean) when the variance over seeds is phi * mean.
        phi = np.mean(sample[use].var(axis=1, ddof=1) / mean[use]) if sample.shape[1] > 1 else 0.0
        known = bool(fit == "wls" and phi > 0)
        weights = mean[use] * (sample.shape[1] / phi if known else 1.0)
    if fit == "glm":
        line = fit_counts(d[use], sample[use], settings["confidence"])
    else:
        line = fit_line(X, np.log(mean[use]), weights, settings["confidence"], known=known)
    row |= {"exponent": line.slope, "stderr": line.stderr, "log_d": X[:, 1].mean()}
    row |= {"ci_low": line.low, "ci_high": line.high}
    if fit == "glm" or math.isnan(line.slope):
        return row
    if sample.shape[1] > 1:
        slopes = _slopes(X, resampled[:, use], weights)
        row["boot_low"], row["boot_high"] = np.nanquantile(slopes, _tails(settings))
    if expected is not None and (expected[use] > 0).all():
        row["finite_size"] = fit_line(X, np.log(expected[use]), weights).slope
    return row


def _local(d, sample, resampled, settings):
    """Rows of :data:`LOCAL`, one per pair of neighbouring d's."""
    exponents = local_exponents(d, sample.mean(axis=1))
    spread = local_exponents(d, resampled)
    seen = np.isfinite(spread).all(axis=0) & (sample.shape[1] > 1)
    low, high = np.where(seen, np.quantile(np.nan_to_num(spread), _tails(settings), axis=0), np.nan)
    middle = np.sqrt(d[1:] * d[:-1])
    return [
        dict(zip(("interval", *LOCAL), map(float, entry), strict=True))
        for entry in zip(middle, exponents, low, high, strict=True)
    ]


def _tails(settings):
    tail = (1 - settings["confidence"]) / 2
    return [tail, 1 - tail]


def _slopes(X, means, weights):
    """Least-squares slopes of log means, (resamples,); a resample's zero means have no weight."""
    w = np.where(means > 0, 1.0 if weights is None else weights, 0.0)
    y = np.log(np.where(means > 0, means, 1.0))
    normal = np.einsum("rm,mj,mk->rjk", w, X, X)
    right = np.einsum("rm,mj,rm->rj", w, X, y)
    enough = (w > 0).sum(axis=1) >= X.shape[1]
    slopes = np.full(len(means), np.nan)
    slopes[enough] = np.linalg.solve(normal[enough], right[enough, :, None])[:, 1, 0]
    return slopes


def _resampled_means(sample, resamples, rng):
    """Means over seeds drawn with replacement, independently for each d, (resamples, d).

    Spread by √(S/(S−1)): drawing from S seeds has only (S−1)/S of their variance. Percentiles of these
    still cover less than they say: of a nominal 95 %, 76 % with 2 seeds, 90 % with 4, 93 % with 8.
    """
    m, seeds = sample.shape
    picks = rng.integers(seeds, size=(resamples, m, seeds))
    means = sample[np.arange(m)[None, :, None], picks].mean(axis=2)
    centre = sample.mean(axis=1)
    return centre + (means - centre) * math.sqrt(seeds / max(seeds - 1, 1))


def _stream(settings, quantity, at):
    """Random numbers of one line, whatever other lines there are."""
    name = zlib.crc32(repr((quantity, sorted(at.items()))).encode())
    return np.random.default_rng([settings["root_seed"], name])


def _asymptotic(quantity: str, family: str, at: Mapping[str, Any]) -> float:
    """The theorems' exponent; they speak of isotropic embeddings, one population step and α > 1."""
    alpha = at["alpha"]
    if at["kappa"] != 0 or alpha <= 1 or not math.isinf(at["batch_size"]) or at["step"] != 1:
        return math.nan
    if quantity != "capacity":
        sign = 1 if quantity == "bulk_singular_value" else -1
        return sign * theory.bulk_exponent(alpha)
    exponents = {"muon": theory.muon_exponent, "gradient": theory.gradient_exponent}
    return exponents[family](alpha) if family in exponents else math.nan


def _predicted_capacity(grid: xr.Dataset, settings: Mapping[str, Any]) -> xr.DataArray:
    """Parameter-free counts over (*LINE, d); NaN where the theory has none."""
    slopes = _over_lines(grid.spike_slope.mean("seed"))
    predicted = xr.full_like(slopes, np.nan)
    predicted.attrs = {"long_name": "capacity predicted without a fit parameter"}
    for where in np.ndindex(slopes.shape):
        point = slopes[where]
        family = settings["theory"][point.optimizer.item()]
        if not math.isinf(point.batch_size.item()) or point.step.item() != 1:
            continue
        p = power_law(settings["n_items"], point.alpha.item())
        if family == "muon":
            predicted[where] = theory.muon_capacity(p, point.d.item(), point.item())
        elif family == "gradient" and point.kappa.item() == 0:
            predicted[where] = theory.gradient_capacity(p, point.d.item())
    return predicted


def _alpha_fit(fits: xr.Dataset, settings: Mapping[str, Any]) -> xr.Dataset:
    """c1, c2 of C(α) = c1 + c2/α with standard errors, for each line without its alpha."""
    rest = [dim for dim in LINE if dim != "alpha"]
    exponents = fits.exponent.sel(quantity="capacity", fit="ols").transpose(*rest, "alpha")
    values = np.full((3, *exponents.shape[:-1]), np.nan)
    for where in np.ndindex(exponents.shape[:-1]):
        C = exponents.values[where]
        use = np.isfinite(C)
        X = np.stack([np.ones(use.sum()), 1 / fits.alpha.values[use]], axis=1)
        line = fit_line(X, C[use], None, settings["confidence"])
        values[(slice(None), *where)] = line.intercept, line.slope, line.stderr
    text = "{} of C(alpha) = c1 + c2 / alpha, ordinary least squares of the exponents of fit ols"
    return xr.Dataset(
        {
            name: (rest, value, {"long_name": text.format(name.replace("_", ", "))})
            for name, value in zip(("c1", "c2", "c2_stderr"), values, strict=True)
        },
        coords={dim: fits[dim] for dim in rest},
    )
