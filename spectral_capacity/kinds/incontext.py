"""The kind ``incontext``: transformers that learn to recall pairs from their context."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, MaxLen, MinLen
from pydantic import Field

from spectral_capacity.analysis.claims_file import RECALL_QUANTITIES
from spectral_capacity.incontext.measured import SCHEMA
from spectral_capacity.incontext.names import PARAMETERS, SQUARE
from spectral_capacity.kinds.experiment import (
    Experiment,
    Need,
    Problem,
    Shared,
    seed_blocks,
    sorted_plain,
)
from spectral_capacity.kinds.fields import FilePath, Strict, axis, count
from spectral_capacity.kinds.incontext_cell import InContextCell
from spectral_capacity.kinds.optimizers import LearningRate
from spectral_capacity.optimizers.transformations import TRANSFORMATIONS
from spectral_capacity.sampling.bigrams import bigrams_digest, read_bigrams

Exponent = Annotated[float, Ge(0)]
Parameter = Literal[PARAMETERS]


class Noise(Strict):
    """What stands where no pair does."""

    alpha: Exponent = 0.0
    """exponent of the frequencies of outputs as noise, p_i ∝ i^(−α), in an order of its own that the root seed
    draws; 0: uniform"""
    file: FilePath | None = None
    """in place of it: a table of bigrams, columns `previous`, `next`, `count`, of as many tokens as there are
    outputs ([how to](../docs/own_data.md)). Output i is the token whose first row as `previous` is the i-th"""

    def law(self, root: Path) -> float | str:
        """The exponent, or the digest of the bigrams: another path, comment or name reruns nothing."""
        return _digest(root, self.file) if self.file else self.alpha

    def problems(self, vocabulary: int, root: Path) -> Iterator[Problem]:
        """What is wrong with it for so many outputs."""
        if self.file is None:
            return
        if self.alpha:
            yield (
                ("noise", "alpha"),
                f"{self.alpha}: leave it out, the file has what is how likely",
            )
        if not (root / self.file).is_file():
            yield ("noise", "file"), f"{self.file!r}: no such file"
            return
        try:
            tokens, _ = read_bigrams(root / self.file)
        except (OSError, ValueError) as error:
            yield ("noise", "file"), str(error)
            return
        if len(tokens) != vocabulary:
            yield (
                ("vocabulary",),
                f"{vocabulary}: must be that of {self.file}, {len(tokens)}: each of its tokens is an output",
            )


def _digest(root: Path, file: str) -> str:
    path = (root / file).resolve()
    return _digest_of(path, path.stat().st_mtime_ns)


@cache
def _digest_of(path: Path, mtime_ns: int) -> str:
    return bigrams_digest(read_bigrams(path)[1])


class Model(Strict):
    """What the transformer is made of, and what of it is trained."""

    normalise: bool = True
    """RMS normalisation without gain, before each part and before the unembedding"""
    feed_forward: axis(Literal[1, 2]) | None = None
    """layers with a feed-forward part of ReLU units, `[1, 2]`; null: none"""
    widening: count(most=64) = 4
    """its width, in multiples of d"""
    tied: bool = False
    """the embedding is the unembedding, too"""
    identity: axis(Literal[SQUARE]) | None = None
    """matrices that are the identity and stay it, as `query_1`"""
    attention: Literal["learnt", "built"] = "learnt"
    """`built`: the first output of a pair is put, without its position, into the second layer's values at the
    second trigger, and nothing else reaches the unembedding: a linear memory. There are no positions, queries,
    keys and no matrices of the first layer then"""
    zero: axis(Parameter) | None = None
    """parameters that begin at zero, named as below"""
    frozen: axis(Parameter) | None = None
    """parameters that stay as they are drawn: `embedding`, `positions`, `unembedding`, and `query_1`, `key_1`,
    `value_1`, `output_1`, `widen_1`, `narrow_1` of the first layer, `…_2` of the second"""

    def problems(self) -> Iterator[Problem]:
        """What is wrong with it that no single key shows."""
        for name in {*(self.zero or ())} & {*(self.identity or ())}:
            yield ("model", "zero"), f"{name!r} is the identity: it cannot begin at zero"
        if self.attention == "built" and self.normalise:
            yield ("model", "normalise"), "must be false with attention: built, a linear memory"
        if self.attention == "built" and self.feed_forward:
            yield ("model", "feed_forward"), "must be null with attention: built, a linear memory"


class InContextExperiment(Experiment):
    """In-context recall by transformers of two layers: combinations of the lists are points of the grid."""

    kind: Literal["incontext"]
    """transformers that recall pairs from their context"""
    vocabulary: count(least=2, most=2**20)
    """number of triggers, and of outputs"""
    length: count(least=4, most=2**16)
    """tokens of a sequence, T"""
    pairs: count()
    """pairs of a trigger and an output in a sequence, K, each twice; T is 4K at least"""
    fixed_triggers: bool = False
    """the K most frequent triggers in every sequence, and not drawn for each"""
    exponents: Annotated[
        list[Annotated[list[Exponent], MinLen(2), MaxLen(2)]], MinLen(1), MaxLen(1000)
    ]
    """pairs [α of triggers, α of outputs] of exponents of their frequencies in training, p_i ∝ i^(−α)"""
    d: axis(count(most=2**14))
    """widths of the model"""
    batch_size: axis(count())
    """sequences behind a gradient"""
    iterations: axis(count())
    """updates after which is measured; the last one ends a run"""
    learning_rates: dict[str, axis(Annotated[float, Field(gt=0)])]
    """by optimizer, the learning rates that are tried. The runs of seed 0 choose one for each point of a
    figure, the other seeds are reported"""
    noise: Noise = Noise()
    """what stands where no pair does, in training and on all held-out sequences"""
    held_out: Annotated[int, Ge(128), Field(le=2**20, multiple_of=128)] = 2048
    """sequences behind an accuracy"""
    gradient_spectrum: bool = False
    """measure singular values of the gradient of the second layer's values too"""
    model: Model = Model()
    """what the transformer is made of"""

    quantities: ClassVar = frozenset(RECALL_QUANTITIES)
    script: ClassVar[str] = "scripts/train_incontext.py"
    title: ClassVar[str] = "In-context recall of transformers"
    schema: ClassVar = SCHEMA
    rules: ClassVar = TRANSFORMATIONS
    needs: ClassVar = {
        "batch sizes": Need(
            "two sizes or more in its batch_size", lambda e, _: len(e.batch_size) > 1
        ),
        "two iterations": Need(
            "two numbers or more in its iterations", lambda e, _: len(e.iterations) > 1
        ),
        "uniform triggers": Need(
            "two pairs or more [0, α] in its exponents", lambda e, _: _uniform(e, 0) > 1
        ),
        "uniform outputs": Need(
            "two pairs or more [α, 0] in its exponents", lambda e, _: _uniform(e, 1) > 1
        ),
        "no feed-forward": Need(
            "no feed_forward in its model", lambda e, _: e.model.feed_forward is None
        ),
    }

    def problems(self, shared: Shared) -> Iterator[Problem]:
        if self.seeds < 2:
            yield (
                ("seeds",),
                f"{self.seeds}: must be 2 at least; seed 0 only chooses learning rates",
            )
        if self.length < 4 * self.pairs:
            yield ("length",), f"{self.length}: must be at least 4 times pairs, {4 * self.pairs}"
        if self.pairs > self.vocabulary:
            yield ("pairs",), f"{self.pairs}: must be at most vocabulary, {self.vocabulary}"
        for i, name in enumerate(self.optimizers):
            if name not in self.learning_rates:
                yield ("learning_rates",), f"has no learning rates of optimizer {name!r}"
            optimizer = shared.optimizers.get(name)
            if optimizer and optimizer.learning_rate != LearningRate():
                yield (
                    ("optimizers", i),
                    f"{name!r} has a learning_rate: leave it out, learning_rates of this experiment has those "
                    "that are tried",
                )
        for name in self.learning_rates:
            if name not in shared.optimizers:
                yield ("learning_rates", name), "is not defined in optimizers"
        yield from self.model.problems()
        yield from self.noise.problems(self.vocabulary, shared.root)
        twice = [pair for i, pair in enumerate(self.exponents) if pair in self.exponents[:i]]
        if twice:
            yield ("exponents",), f"each pair once; repeated: {twice[0]}"

    def cells(self, name: str, shared: Shared) -> Iterator[InContextCell]:
        blocks = seed_blocks(self.seeds, shared.seeds_per_job)
        for optimizer in self.optimizers:
            for d in self.d:
                for batch_size in self.batch_size:
                    for alphas in self.exponents:
                        for seeds in blocks:
                            yield InContextCell(
                                self, shared, optimizer, *map(float, alphas), d, batch_size, seeds
                            )

    def coordinates(self, shared: Shared) -> dict[str, list]:
        rates = {rate for name in self.optimizers for rate in self.learning_rates[name]}
        return {
            "optimizer": list(self.optimizers),
            "alpha_triggers": sorted({float(pair[0]) for pair in self.exponents}),
            "alpha_outputs": sorted({float(pair[1]) for pair in self.exponents}),
            "d": list(self.d),
            "batch_size": list(self.batch_size),
            "learning_rate": sorted(rates),
            "seed": list(range(self.seeds)),
            "iteration": sorted(self.iterations),
        }

    def grid_settings(self, name: str, shared: Shared) -> dict[str, Any]:
        """With a table of bigrams also the digest of those, as a grid can outlive them."""
        settings = super().grid_settings(name, shared)
        if self.noise.file:
            settings["bigrams_sha256"] = self.noise.law(shared.root)
        return sorted_plain(settings)

    def fit_settings(self, name: str, shared: Shared) -> None:
        """Nothing is fitted: the paper states no exponent."""
        return None


def _uniform(experiment: InContextExperiment, of: int) -> int:
    """How many pairs of exponents have a uniform law of triggers (0) or outputs (1)."""
    return sum(pair[of] == 0 for pair in experiment.exponents)
