"""The variables that fits hold, what they mean, and how they come from rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import xarray as xr

STATISTICS = {
    "exponent": "fitted exponent in d",
    "stderr": "standard error of the exponent, from the regression",
    "ci_low": "lower end of the regression's interval (t; normal for wls)",
    "ci_high": "upper end of the regression's interval (t; normal for wls)",
    "boot_low": "lower end of the interval over resampled seeds (percentiles)",
    "boot_high": "upper end of the interval over resampled seeds (percentiles)",
    "boot_error": "standard deviation over resampled seeds",
    "points": "number of d's used",
    "log_d": "mean of log d over the d's used",
    "theory": "asymptotic exponent of the theory",
    "finite_size": "the same fit of the parameter-free prediction at the same d's",
    "z": "(exponent - theory) / stderr",
}
"""Of one fit of one quantity on one line."""

LEVELS = {
    "level": "value at the largest d, mean over seeds",
    "level_low": "lower end of its interval over resampled seeds",
    "level_high": "upper end of its interval over resampled seeds",
    "level_error": "its standard deviation over resampled seeds",
}
"""Of one quantity on one line."""

ASYMPTOTES = {
    "trend": "exponent in d of measured over predicted, from d = 64 on",
    "trend_low": "lower end of its interval over resampled seeds",
    "trend_high": "upper end of its interval over resampled seeds",
    "trend_error": "its standard deviation over resampled seeds",
    "continued": "exponent of the prediction at dimensions so large that it changes no more",
}
"""Of one quantity that is predicted, on one line."""

LOCAL = {
    "local_exponent": "exponent between neighbouring d's",
    "local_exponent_low": "lower end of its interval over resampled seeds",
    "local_exponent_high": "upper end of its interval over resampled seeds",
}
"""Of the capacity on one line, one for each pair of neighbouring d's."""

BREAKS = {
    "critical_batch_size": "batch size where the information line meets the plateau",
    "critical_batch_size_low": "lower end of its interval over resampled seeds",
    "critical_batch_size_high": "upper end of its interval over resampled seeds",
    "predicted_critical_batch_size": "batch that holds as many items as the predicted capacity",
    "plateau": "capacity that the curve tends to",
    "information_constant": "a of the information line a B^(1/alpha)",
    "sharpness": "sharpness of the turn between line and plateau",
    "rms_residual": "root mean square of log(counts / model) at finite batch sizes",
}
"""Of one curve of counts against the batch size."""


def to_dataset(
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    names: Mapping[str, str],
    order: Mapping[str, Iterable],
) -> xr.Dataset:
    """Variables ``names`` (with their meanings) over the dimensions ``keys``, NaN where there is no row.

    A row has the keys and names, and may have more. ``order``: the coordinates of each dimension; those of
    a dimension that it lacks ascend.
    """
    dataset = pd.DataFrame(rows, columns=[*keys, *names]).set_index([*keys]).to_xarray()
    dataset = dataset.reindex({dim: order[dim] for dim in keys if dim in order})
    for name, meaning in names.items():
        dataset[name].attrs = {"long_name": meaning}
    return dataset
