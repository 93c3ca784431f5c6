"""One cell of in-context recall: its file, what decides its numbers, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spectral_capacity.kinds.experiment import Cell, Shared, seed_span, sorted_plain
from spectral_capacity.kinds.rates import Cost

if TYPE_CHECKING:
    from spectral_capacity.kinds.incontext import InContextExperiment

RUNTIME = 450e6
"""Bytes of an interpreter with JAX and its compiled programs."""

COMPILATION = 5.0
"""Seconds for the first cell of a shape."""


@dataclass(frozen=True)
class InContextCell(Cell):
    """One optimizer × α of triggers and outputs × d × batch size × block of seeds; learning rates and
    iterations are inside."""

    experiment: InContextExperiment
    shared: Shared
    optimizer: str
    alpha_triggers: float
    alpha_outputs: float
    d: int
    batch_size: int
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        laws = f"triggers{self.alpha_triggers!r}_outputs{self.alpha_outputs!r}"
        return f"{self.optimizer}_{laws}_d{self.d}_batch{self.batch_size}_{seed_span(self.seeds)}"

    @property
    def description(self) -> str:
        e = self.experiment
        return (
            f"d {self.d}, batches of {self.batch_size} × {e.length}, {max(e.iterations)} iterations, "
            f"{len(self.seeds)} seeds × {len(e.learning_rates[self.optimizer])} rates"
        )

    def settings(self) -> dict[str, Any]:
        e = self.experiment
        model = {key: value for key, value in e.model.model_dump().items() if value is not None}
        return sorted_plain(
            {
                "root_seed": self.shared.seed,
                "name": self.optimizer,
                "optimizer": self.shared.optimizers[self.optimizer].model_dump(),
                "task": {
                    "vocabulary": e.vocabulary,
                    "length": e.length,
                    "pairs": e.pairs,
                    "fixed_triggers": e.fixed_triggers,
                },
                "architecture": {
                    "vocabulary": e.vocabulary,
                    "length": e.length,
                    "d": self.d,
                    **model,
                },
                "alpha_triggers": self.alpha_triggers,
                "alpha_outputs": self.alpha_outputs,
                "noise": e.noise.law(self.shared.root),
                "batch_size": self.batch_size,
                "held_out": e.held_out,
                "gradient_spectrum": e.gradient_spectrum,
                "iterations": sorted(e.iterations),
                "learning_rates": sorted(e.learning_rates[self.optimizer]),
                "seeds": list(self.seeds),
            }
        )

    def cost(self) -> Cost:
        """Operations in float32 of all runs, forward and backward, and of what is measured; memory.

        Counts products of matrices: of the layers, attention, the unembedding at K positions; three times the
        forward pass for a gradient. Left out: the optimizer's own, next to nothing.
        """
        e, d, T = self.experiment, self.d, self.experiment.length
        runs = len(self.seeds) * len(e.learning_rates[self.optimizer])
        layers = len(e.model.feed_forward or ())
        built = e.model.attention == "built"
        forward = T * (12 * d**2 + 4 * T * d + 4 * layers * e.model.widening * d**2)
        forward = e.pairs * 2 * d**2 if built else forward
        forward += e.pairs * 4 * e.vocabulary * d
        sequences = 3 * self.batch_size * max(e.iterations)
        sequences += (2 + 3 * e.gradient_spectrum) * e.held_out * len(e.iterations)
        parameters = (4 * e.vocabulary + T) * d + 8 * d**2
        # Logits, their exponentials and gradient, and what attention keeps for the backward pass.
        attention = 0 if built else 12 * T * (T + 8 * d)
        activations = self.batch_size * (attention + 6 * e.pairs * e.vocabulary)
        return Cost(
            float32=2.0 * runs * sequences * forward,
            fixed=COMPILATION,
            bytes=RUNTIME + 4 * (8 * runs * parameters + activations),
        )
