"""One cell of a linear memory: its file, what decides its numbers, and what it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spectral_capacity.kinds.experiment import Cell, EmbeddingsFile, Shared, seed_span, sorted_plain
from spectral_capacity.kinds.optimizers import own_code, rate_factors
from spectral_capacity.kinds.rates import Cost

if TYPE_CHECKING:
    from spectral_capacity.kinds.memory import MemoryExperiment

KEPT = 2**28
"""Bytes of embeddings that a job keeps between cells (:class:`sampling.embeddings.KeptEmbeddings`)."""

RUNTIME = 450e6
"""Bytes of an interpreter with JAX and its compiled programs."""


@dataclass(frozen=True)
class MemoryCell(Cell):
    """One optimizer × α × κ × d × block of seeds; batch sizes, seeds and steps are inside."""

    experiment: MemoryExperiment
    shared: Shared
    optimizer: str
    alpha: float
    kappa: float
    d: int
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        where = f"alpha{self.alpha!r}_kappa{self.kappa!r}_d{self.d}"
        return f"{self.optimizer}_{where}_{seed_span(self.seeds)}"

    @property
    def description(self) -> str:
        steps = f", {self.experiment.steps} steps" if self.experiment.steps > 1 else ""
        return f"d {self.d}, N {self.experiment.n_items}{steps}, {len(self.seeds)} seeds"

    @property
    def may_end_early(self) -> bool:
        return self.experiment.early_stop is not None

    def settings(self) -> dict[str, Any]:
        e, shared = self.experiment, self.shared
        paired = e.frequencies if e.embeddings else None  # rows of a table with rows of a file
        optimizer = shared.optimizers[self.optimizer]
        return sorted_plain(
            {
                "rows": paired and paired.rows_digest(shared.root, e.n_items),
                "draw": e.embeddings and e.embeddings.draw,
                "root_seed": shared.seed,
                "frequencies": e.frequencies and e.frequencies.digest(shared.root, e.n_items),
                "loss_factors": e.loss and sorted(e.loss.learning_rate_factors),
                "steps": e.steps,
                "early_stop": e.early_stop and e.early_stop.model_dump(),
                "gradient": e.gradient,
                "prefix_share": e.prefix_share,
                "name": self.optimizer,
                # What chooses among rates decides no number of a cell.
                "optimizer": optimizer.model_dump(exclude={"learning_rate": {"sweep"}}),
                "rate_factors": rate_factors(optimizer),
                "alpha": self.alpha,
                "kappa": self.kappa,
                "d": self.d,
                "n_items": e.n_items,
                "seeds": list(self.seeds),
                "batch_sizes": e.batch_sizes,
            }
        )

    def draws(self) -> list[EmbeddingsFile]:
        if self.experiment.embeddings:
            return []
        return [EmbeddingsFile(self.experiment.n_items, self.d, self.seeds)]

    def files(self) -> list[str]:
        own = self.experiment.embeddings
        return [own.path(self.d)] if own else []

    def own_code(self) -> str | None:
        return own_code(self.shared.optimizers[self.optimizer])

    def cost(self) -> Cost:
        """Operations and memory; of a run that may stop early, its longest.

        Counts, for each seed, drawing embeddings and samples; for each batch and step the gradient in float64
        (of the items that a power law lets one see), or at a memory that has learnt something the softmax of
        these items over all in float32; singular value decompositions on the host; the recall, by screening and
        confirmation or with the softmax; Newton's moments; the logits of a loss in float64. 1.5 for memory
        traffic between jobs side by side, 0.1 s for tracing and files. Time is good to a factor of two on a
        CPU; memory, with the process that watches, was 0.7 to 1.25 times this in the default run.
        """
        N, d, e = self.experiment.n_items, self.d, self.experiment
        newton = self.shared.optimizers[self.optimizer].rule == "newton"
        steps, exact = e.steps, e.gradient == "exact"
        float64 = 2 * N * d**2 * newton
        float32 = exponentials = host = 0.0
        for batch_size in e.batch_sizes:
            seen = self._distinct(batch_size)
            everyone = exact and steps > 1 and math.isinf(batch_size)
            from_zero = 1 if exact else steps
            float64 += from_zero * 2 * seen * d**2 * (1 + newton)
            # The head, a few times d items, is done again in float64; 80 d³ are a decomposition's.
            host += steps * 80 * d**3
            float64 += (steps - from_zero) * 4 * min(5 * d, seen) * N * d
            float32 += (steps - from_zero) * 4 * seen * N * d + everyone * 2 * N**2 * d
            exponentials += (steps - from_zero) * seen * N + everyone * N**2
            if not everyone:
                recovered = min(1.6 * d * steps**0.5, seen * steps, N)
                float32 += steps * 2 * N * d * (d + 128 + recovered)
            if e.loss:
                scales = len({1.0, *e.loss.learning_rate_factors})
                float64 += steps * N**2 * 2 * d
                exponentials += steps * N**2 * (scales + 1) / 2
        samples = steps * sum(b for b in e.batch_sizes if math.isfinite(b))
        rates = len(rate_factors(self.shared.optimizers[self.optimizer]) or [1.0])
        drawing = 6e-9 * 2 * N * d / rates + 1e-7 * samples
        times = 1.5 * len(self.seeds) * rates
        return Cost(
            times * float64,
            times * float32,
            times * exponentials,
            times * host,
            times * drawing + 0.1,
            self._bytes(),
        )

    def _bytes(self) -> float:
        """The runtime, the embeddings of a seed, tiles of logits.

        The softmax means of the items that make a gradient, (n, d) float32, come on top with more than one
        step. Embeddings are drawn in float64 blocks, and a copy lives while they are; those of some seeds are
        kept for the next cell.
        """
        N, d, e = self.experiment.n_items, self.d, self.experiment
        arrays = 2 * 4 * N * d
        softmax = e.steps > 1 and e.gradient == "exact"
        means = 4 * max(map(self._distinct, e.batch_sizes)) * d if softmax else 0
        kept = min(KEPT, arrays * len(self.seeds)) if self.draws() else 0
        return RUNTIME + arrays + arrays / 2 + kept + means + 60 * N + 40 * d**2

    def _distinct(self, batch_size: float) -> float:
        """About how many items a batch from the power law has."""
        return min(float(self.experiment.n_items), batch_size ** min(1 / self.alpha, 1.0))
