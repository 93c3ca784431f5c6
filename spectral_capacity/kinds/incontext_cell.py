"""One cell of in-context recall: its file, what decides its numbers, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spectral_capacity.incontext.names import SQUARE
from spectral_capacity.kinds.experiment import Cell, Shared, seed_span, sorted_plain
from spectral_capacity.kinds.rates import Cost

if TYPE_CHECKING:
    from spectral_capacity.kinds.incontext import InContextExperiment

RUNTIME = 550e6
"""Bytes of an interpreter with JAX and its compiled programs."""

COMPILATION = 5.0
"""Seconds for the first cell of a shape."""

ENTRY = 4.5
"""Exponentials that take as long as all but products that is done to a number of a forward pass: of an
attention its mask and softmax, of a state its norm. Of a logit it is one. From timings on a CPU core."""

LOT = 25.0
"""Exponentials that take as long as a number of a sequence's draw, from the same timings."""


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
        """Operations of all runs, of their training and of what is measured on the way; memory.

        In float32: products of matrices, in a gradient three times those of a forward pass, and Newton–Schulz
        iterations. As exponentials: all else that is done to an attention, a logit, a state or a lot. Left
        out: steps of SGD and AdamW, and products of the three memories.
        """
        e = self.experiment
        runs = len(self.seeds) * len(e.learning_rates[self.optimizer])
        updates, looks = max(e.iterations), len(e.iterations)
        trained, seen = self.batch_size * updates, 2 * e.held_out * looks
        spectra = e.gradient_spectrum * e.held_out * looks
        passes = 3 * (trained + spectra) + seen
        products, entries, logits = self._of_a_sequence()
        products = passes * products + updates * self._of_an_update()
        lots = 2 * e.length + (0 if e.fixed_triggers else e.vocabulary)
        work = passes * (ENTRY * entries + logits) + (trained + spectra + seen) * LOT * lots
        activations = self.batch_size * (entries + logits)
        return Cost(
            float32=2.0 * runs * products,
            exponentials=runs * work,
            fixed=COMPILATION,
            bytes=RUNTIME + 4 * (8 * runs * self._parameters() + 8 * activations),
        )

    def _of_a_sequence(self) -> tuple[int, int, int]:
        """Multiplications in matrix products of a forward pass, and numbers that it makes: attentions and
        states, and logits. The second layer asks at the labelled positions only."""
        e, d, T, K = self.experiment, self.d, self.experiment.length, self.experiment.pairs
        logits = K * 2 * e.vocabulary
        if e.model.attention == "built":
            return K * 2 * d**2 + logits * d, K * (2 * T + 3 * d), logits
        asking = {1: T, 2: K}
        asked = T + K
        wide = sum(asking[layer] for layer in e.model.feed_forward or ()) * e.model.widening
        products = asked * (2 * d**2 + 2 * T * d) + 2 * wide * d**2 + logits * d
        return products, asked * (T + d) + wide * d, logits

    def _of_an_update(self) -> int:
        """Multiplications in products of parameters alone: of two matrices in a row, and Newton–Schulz's on
        the matrices that Muon moves."""
        e, d = self.experiment, self.d
        optimizer = self.shared.optimizers[self.optimizer].model_dump()
        built = e.model.attention == "built"
        cubes = 0 if built else 3 * 4
        if optimizer["rule"] == "muon":
            fixed = {*(e.model.identity or ()), *(e.model.frozen or ())}
            square = ("value_2", "output_2") if built else SQUARE
            moved = sum(name not in fixed for name in square)
            wide = 2 * len(e.model.feed_forward or ()) * (2 * e.model.widening + 1)
            cubes += optimizer["iterations"] * (3 * moved + wide)
        return cubes * d**3

    def _parameters(self) -> int:
        """Numbers of a model, or a little more."""
        e, d = self.experiment, self.d
        wide = 2 * len(e.model.feed_forward or ()) * e.model.widening
        return (4 * e.vocabulary + e.length) * d + (8 + wide) * d**2
