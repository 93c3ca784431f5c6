"""The whole configuration as a model, put together from the kinds of experiments and the figures there are."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, MaxLen, MinLen
from pydantic import Discriminator, Field, PrivateAttr, Tag, create_model

from spectral_capacity.config.figure_modules import figure_modules
from spectral_capacity.config.figures import Drawn, FigureSettings, figures_model
from spectral_capacity.kinds.experiment import Experiment, Shared
from spectral_capacity.kinds.fields import FixedPath, Made, Name, Strict, axis, count
from spectral_capacity.kinds.optimizers import optimizer_model
from spectral_capacity.kinds.registry import DEFAULT, KINDS

MOST_NAMES = 1000
"""Of optimizers, and of experiments."""


class EmbeddingsStore(Strict):
    """How generated embeddings are kept: the draws, or the keys that make them."""

    store: Literal["keys", "arrays"] = "keys"
    """what an embeddings file holds. `keys`: a kilobyte, drawn anew by every job, checked against a
    fingerprint. `arrays`: the draws, 8·N·d bytes a seed"""


class Fits(Strict):
    """How exponents are fitted."""

    largest: count(least=2, most=10_000) = 3
    """number of d's in the fit over the largest d's"""
    bootstrap: count(least=100, most=10**6) = 2000
    """resamples of the seeds, for the percentile intervals. Simulated with three d's, a nominal 95 % covers
    76 % with 2 seeds, 90 % with 4, 93 % with 8"""
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """of all intervals"""


class Config(Strict):
    """The whole configuration."""

    results: FixedPath = "results"
    """folder of everything that is written"""
    seed: Annotated[int, Ge(0), Field(lt=2**32)] = 0
    """root of every random stream"""
    device: Literal["auto", "cpu", "gpu"] = "auto"
    """where JAX computes. Embeddings are always drawn on the CPU, so their bits do not depend on it. Changing
    it reruns nothing"""
    all_devices: bool = False
    """`true`: the rows of a softmax gradient are shared by all devices of the kind, not done by the first
    alone; training jobs then run one at a time. Reruns nothing: up to eight devices the result is the same to
    the last bit if their number divides eight, else to rounding"""
    seeds_per_job: count(most=10_000) = 4
    """seeds of one cell, trained by one job. More seeds later only add cells, if the last block was full"""
    bundle_seconds: Annotated[float, Ge(0)] = 40.0
    """cells of one experiment that take about this long together, by estimate, are trained by one job, in one
    process; each stays a file of its own. 0: a job for every cell. A change retrains
    nothing"""
    checkpoint_seconds: Annotated[float, Ge(0)] = 60.0
    """a cell writes its state this often to `results/checkpoints/`; killed or requeued, it goes on from there
    with the very numbers it would have had. A checkpoint of another configuration, code, environment or device
    is ignored, and the job's log says so. Reruns nothing"""
    embeddings: EmbeddingsStore = EmbeddingsStore()
    """how generated embeddings are kept"""
    optimizers: Annotated[dict[Name, Any], MinLen(1), MaxLen(MOST_NAMES)]
    """names that experiments use"""
    experiments: Annotated[dict[Name, Experiment], MinLen(1), MaxLen(MOST_NAMES)]
    """what is measured; `null` in place of an experiment drops it, and the figures that show it"""
    only: axis(Name) | None = None
    """names of experiments: the others, and figures that show them, are left out of this run; their grids,
    fits and figures stay where they are. Claims and the page are then about these alone"""
    fits: Fits = Fits()
    """how exponents are fitted"""
    figures: FigureSettings = FigureSettings()
    """which experiment each figure shows"""
    claims: FixedPath = "data/claims.yaml"
    """what the theory predicts; see [data/README.md](../data/README.md)"""
    prune: Literal["list", "delete"] = "list"
    """what the target `prune` does with files in `results` that the configuration does not name"""

    _root: Path = PrivateAttr(Path())
    _dropped: frozenset[str] = PrivateAttr(frozenset())

    @property
    def dropped(self) -> frozenset[str]:
        """Names of experiments that are null."""
        return self._dropped

    @property
    def selected(self) -> dict[str, Experiment]:
        """The experiments that are run: all, or ``only`` those."""
        names = self.experiments if self.only is None else {*self.only}
        return {name: e for name, e in self.experiments.items() if name in names}

    def drawn(self, experiments: Container[str]) -> dict[str, Drawn]:
        """The figures, by name, all of whose experiments are among these."""
        return {
            name: figure
            for name, figure in self.figures.drawn().items()
            if all(shown in experiments for shown in figure.experiments.values())
        }

    @property
    def shared(self) -> Shared:
        """What experiments take from the rest."""
        return Shared(
            self.seed,
            self.seeds_per_job,
            self.embeddings.store,
            self.optimizers,
            self.fits.model_dump(),
            self._root,
        )


def config_model() -> type[Config]:
    """The model for the kinds that are registered now, their optimizers and figures."""
    return _model(tuple(KINDS.items()))


@cache
def _model(kinds: tuple[tuple[str, type[Experiment]], ...]) -> type[Config]:
    models = dict(kinds)
    rules: dict[str, Callable] = {}
    for name, model in models.items():
        for rule, function in model.rules.items():
            if rules.setdefault(rule, function) is not function:
                raise ValueError(
                    f"kind {name}: another kind has a rule {rule!r}; name it otherwise"
                )
    optimizers = dict[Name, optimizer_model(tuple(rules.items()))]
    figures = figures_model(figure_modules(models))
    section = {name: Config.model_fields[name].description for name in Config.model_fields}
    return create_model(
        "Config",
        __base__=(Config, Made),
        __doc__=Config.__doc__,
        optimizers=(
            Annotated[optimizers, MinLen(1), MaxLen(MOST_NAMES)],
            Field(description=section["optimizers"]),
        ),
        experiments=(
            Annotated[dict[Name, _any_of(models)], MinLen(1), MaxLen(MOST_NAMES)],
            Field(description=section["experiments"]),
        ),
        figures=(figures, Field(figures(), description=section["figures"])),
    )


def _any_of(models: Mapping[str, type[Experiment]]) -> Any:
    """Any of the kinds; one alone gives plainer messages."""
    if len(models) == 1:
        return models[DEFAULT]
    tagged = [Annotated[model, Tag(name)] for name, model in models.items()]
    return Annotated[reduce(or_, tagged), Discriminator(kind)]


def kind(given: Any) -> str | None:
    """The kind that an experiment names, or the default one."""
    if isinstance(given, dict):
        named = given.get("kind", DEFAULT)
        return named if isinstance(named, str) else repr(named)
    return getattr(given, "kind", DEFAULT)
