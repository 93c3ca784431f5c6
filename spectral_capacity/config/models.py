"""The keys of the configuration, their types and their bounds.

Checks that need two keys at once are in :mod:`spectral_capacity.config.parse`. The options of rules and
spectral maps are not written here a second time: they are read off the functions' signatures.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, MinLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model
from pydantic.types import StringConstraints

from spectral_capacity.optimizers.maps import MAPS
from spectral_capacity.optimizers.rules import RULES

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
"""A name that becomes part of a path."""


def _all_different(values: list) -> list:
    repeated = {v for v in values if values.count(v) > 1}
    if repeated:
        raise ValueError(f"each value once; repeated: {', '.join(map(str, repeated))}")
    return values


def _axis(item: Any) -> Any:
    return Annotated[list[item], MinLen(1), AfterValidator(_all_different)]


class Strict(BaseModel):
    """No unknown keys; no silent conversions such as "3" to 3."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class LearningRate(Strict):
    """η_t = scale · d^d_power; the schedule ``growing`` multiplies it with d^(α e_t) at step t."""

    scale: Annotated[float, Gt(0)] = 1.0
    d_power: Annotated[float, Ge(-10), Field(le=10)] = 0.0
    schedule: Literal["constant", "growing"] = "constant"


def _options(function: Callable, **fields: Any) -> Any:
    """A model of a function's keyword-only arguments, with extra fields."""
    hints = typing.get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            required = parameter.default is parameter.empty
            annotation = SpectralMap if name == "map" else hints[name]
            fields[name] = (annotation, ... if required else parameter.default)
    title = "".join(part.title() for part in function.__name__.split("_"))
    summary = inspect.getdoc(function).split("\n\n")[0]
    return create_model(title, __base__=Strict, __doc__=summary, **fields)


def _one_of(functions: Mapping[str, Callable], tag: str, **fields: Any) -> Any:
    models = [
        _options(function, **{tag: (Literal[name], ...), **fields})
        for name, function in functions.items()
    ]
    return Annotated[reduce(or_, models), Field(discriminator=tag)]


SpectralMap = _one_of(MAPS, "name")
Optimizer = _one_of(RULES, "rule", learning_rate=(LearningRate, LearningRate()))


class EmbeddingsStore(Strict):
    """How generated embeddings are kept: the draws, or the keys that make them."""

    store: Literal["keys", "arrays"] = "keys"


class EmbeddingsOfYourOwn(Strict):
    """A NetCDF file with variables U and V, (item, component) or (seed, item, component)."""

    file: str


class FrequencyTable(Strict):
    """A CSV file with a column ``count``: the items are its n_items most frequent rows."""

    file: str
    tail_from: Annotated[int, Ge(1)] = 100


class LossGrid(Strict):
    """Measure the softmax loss, at the configured learning rate and at these multiples of it."""

    learning_rate_factors: _axis(Annotated[float, Gt(0)]) = [1.0]


class EarlyStop(Strict):
    """Stop a run when its best count so far gained less than the share ``gain`` in ``window`` steps."""

    window: Annotated[int, Ge(1)] = 10
    gain: Annotated[float, Gt(0), Field(lt=1)] = 0.005


class MemoryExperiment(Strict):
    """Linear associative memory: every combination of the lists is one cell of the grid."""

    kind: Literal["memory"] = "memory"
    n_items: Annotated[int, Ge(2)]
    d: _axis(Annotated[int, Ge(2)])
    alpha: _axis(Annotated[float, Gt(0)]) | None = None
    frequencies: FrequencyTable | None = None
    kappa: _axis(Annotated[float, Ge(0)]) = [0.0]
    batch_size: _axis(Annotated[int, Ge(1), Field(le=10**9)] | Literal["population"]) = [
        "population"
    ]
    optimizers: _axis(Name)
    steps: Annotated[int, Ge(1), Field(le=100_000)] = 1
    early_stop: EarlyStop | None = None
    gradient: Literal["exact", "thresholded"] = "exact"
    loss: LossGrid | None = None
    seeds: Annotated[int, Ge(1)] = 4
    embeddings: EmbeddingsOfYourOwn | None = None


class Fits(Strict):
    """How exponents are fitted."""

    largest: Annotated[int, Ge(2)] = 3
    bootstrap: Annotated[int, Ge(100)] = 2000
    confidence: Annotated[float, Gt(0), Field(lt=1)] = 0.95


class TwoExperiments(Strict):
    """The same optimizers on exact and on thresholded gradients."""

    exact: Name
    thresholded: Name


class Figures(Strict):
    """Which experiment each figure shows (null: do not draw it), and how."""

    fig1a: Name | None = "one_step"
    fig1b: Name | None = "minibatch"
    fig2: Name | None = "one_step"
    fig3: Name | None = "minibatch"
    fig4a: Name | None = "steps"
    fig4b: Name | None = "steps"
    fig4c: Name | None = "steps"
    fig4d: Name | None = "long_run"
    fig4e: Name | None = "steps"
    fig5a: Name | None = "gd_against_muon"
    fig5b: Name | None = "minibatch_steps"
    fig6: Name | None = "anisotropy"
    newton_schulz_depth: Name | None = "newton_schulz_depth"
    resolution: Name | None = "resolution"
    spectrum: Name | None = "spectrum"
    loss: Name | None = "loss"
    real_words: Name | None = "real_words"
    thresholded: TwoExperiments | None = TwoExperiments(
        exact="gd_against_muon", thresholded="gd_against_muon_thresholded"
    )
    formats: _axis(Literal["pdf", "svg", "png"]) = ["pdf", "svg", "png"]
    finite_size: bool = True
    style: str = "config/figures.mplstyle"


FIGURES = tuple(
    name
    for name, field in Figures.model_fields.items()
    if field.annotation in (Name | None, TwoExperiments | None)
)
"""Names of all figures, in order."""


class Config(Strict):
    """The whole configuration."""

    results: Annotated[str, StringConstraints(pattern=r"^[^{}]+$")] = "results"
    seed: Annotated[int, Ge(0), Field(lt=2**32)] = 0
    device: Literal["auto", "cpu", "gpu"] = "auto"
    all_devices: bool = False
    seeds_per_job: Annotated[int, Ge(1)] = 4
    checkpoint_seconds: Annotated[float, Ge(0)] = 60.0
    embeddings: EmbeddingsStore = EmbeddingsStore()
    optimizers: Annotated[dict[Name, Optimizer], MinLen(1)]
    experiments: Annotated[dict[Name, MemoryExperiment], MinLen(1)]
    fits: Fits = Fits()
    figures: Figures = Figures()
    claims: str = "data/claims.yaml"
