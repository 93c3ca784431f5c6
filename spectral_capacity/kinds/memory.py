"""The linear memory as a kind of experiment."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le
from pydantic import Field

from spectral_capacity.analysis.quantities import NAMES
from spectral_capacity.analysis.run_quantities import RUN_QUANTITIES
from spectral_capacity.kinds import memory_checks
from spectral_capacity.kinds.experiment import (
    Experiment,
    Problem,
    Shared,
    seed_blocks,
    sorted_plain,
)
from spectral_capacity.kinds.fields import Strict, axis, count
from spectral_capacity.kinds.memory_cell import MemoryCell
from spectral_capacity.kinds.memory_data import OwnEmbeddings, Table
from spectral_capacity.kinds.optimizers import (
    numeric_options,
    rate_factors,
    spectral_map,
    theory_of,
)
from spectral_capacity.memory.measured import SCHEMA
from spectral_capacity.optimizers.rules import RULES
from spectral_capacity.optimizers.transformations import TRANSFORMATIONS, own
from spectral_capacity.results.schema import RATE_FACTOR


class LossGrid(Strict):
    """Measure the softmax loss, at the configured learning rate and at multiples of it."""

    learning_rate_factors: axis(Annotated[float, Gt(0)]) = Field([1.0])
    """multiples of the learning rate; with more than one step `[1.0]`"""


class EarlyStop(Strict):
    """Stop a run when its best count so far gained less than the share ``gain`` in ``window`` steps."""

    window: count(most=100_000) = 10
    """steps"""
    gain: Annotated[float, Gt(0), Field(lt=1)] = 0.005
    """share of the best count before"""


class MemoryExperiment(Experiment):
    """Linear associative memory: every combination of the lists is a point of the experiment's grid."""

    kind: Literal["memory"] = "memory"
    """linear associative memory"""
    n_items: count(least=2)
    """N, number of associations"""
    d: axis(count(least=2, most=2**17))
    """embedding dimensions, each less than N"""
    alpha: axis(Annotated[float, Gt(0)]) | None = None
    """exponents of the item frequencies p_i ∝ i^(−α). Left out when there is a table"""
    frequencies: Table | None = None
    """`{file: data/….csv, tail_from: 100}` in place of `alpha`: a table with a column `count`
    ([how to](../docs/own_data.md)); the items are its `n_items` most frequent rows. The grid's α is the
    exponent of its tail, fitted from rank `tail_from` on, to three decimals"""
    kappa: axis(Annotated[float, Ge(0)]) = Field([0.0])
    """exponents of the spectrum of the output embeddings; 0 is isotropic"""
    batch_size: axis(count() | Literal["population"]) = Field(["population"])
    """samples behind the gradient: integers, and `population` for the gradient of the whole law (`inf` in the
    grid). One cell runs them all. Batches are nested: those of one seed and d are the first B of one sequence
    of samples"""
    steps: count(most=100_000) = 1
    """updates T; the grid has what was measured after each of them. With more than one, population runs on
    exact gradients measure the loss too"""
    early_stop: EarlyStop | None = None
    """`{window: 10, gain: 0.005}`: stop a run whose best count so far has gained less than this share over so
    many steps. Later steps are missing, with status `not_run`. A rate that decays goes on to its end"""
    gradient: Literal["exact", "thresholded"] = "exact"
    """`exact`: the softmax gradient at the memory as it is, N² logits a step for the population. `thresholded`:
    the paper's Eq. 7, items once recovered are left out for good and all others keep their gradient at W = 0:
    the cost of single steps"""
    prefix_share: Annotated[float, Gt(0), Le(1)] = 0.95
    """share of the m most frequent items that must be recovered for the grid's `robust_prefix` to be m"""
    loss: LossGrid | None = None
    """`{learning_rate_factors: […]}`: measure the softmax loss too, at the configured learning rate and at
    these multiples of it. N² logits a seed: keep N at some thousands on a laptop. With more than one step `{}`,
    no multiples"""
    embeddings: OwnEmbeddings | None = None
    """`{file: path.nc}`: embeddings of your own, variables `U` and `V` over (item, component), or over (seed,
    item, component) with a `seed` coordinate ([how to](../docs/own_data.md)). N and d must be the file's;
    `{file: "d{d}.nc"}` is one file for each d; `draw: …` takes surrogates of them. Row i is the i-th most
    frequent item; with a table in `frequencies` it is the item of the table's row i, and the table has as many
    rows as the file"""

    script: ClassVar[str] = "scripts/train_memory.py"
    title: ClassVar[str] = "Capacity of a linear memory"
    schema: ClassVar = SCHEMA
    rules: ClassVar = RULES | TRANSFORMATIONS | {"own": own}
    needs: ClassVar = memory_checks.NEEDS
    joint_needs: ClassVar = memory_checks.JOINT_NEEDS
    quantities: ClassVar = NAMES | RUN_QUANTITIES.keys()

    def problems(self, shared: Shared) -> Iterator[Problem]:
        yield from memory_checks.problems(self, shared)

    def alphas(self, root: Path) -> list[float]:
        """The exponents; for a table of counts the exponent of its tail, three decimals.

        The table's is a coordinate like any other from here on: cells and grid take it from here.
        """
        table = self.frequencies
        return [table.tail(root, self.n_items)] if table else list(self.alpha)

    @property
    def batch_sizes(self) -> list[float]:
        """The batch sizes as floats, inf for the population."""
        return [math.inf if size == "population" else float(size) for size in self.batch_size]

    def cells(self, name: str, shared: Shared) -> Iterator[MemoryCell]:
        blocks = seed_blocks(self.seeds, shared.seeds_per_job)
        for optimizer in self.optimizers:
            for alpha in self.alphas(shared.root):
                for kappa in self.kappa:
                    for d in self.d:
                        for seeds in blocks:
                            yield MemoryCell(self, shared, optimizer, alpha, kappa, d, seeds)

    def coordinates(self, shared: Shared) -> dict[str, list]:
        factors = [rate_factors(shared.optimizers[name]) for name in self.optimizers]
        rates = {rate for some in factors for rate in some or [1.0]}
        return {
            "optimizer": list(self.optimizers),
            "alpha": self.alphas(shared.root),
            "kappa": list(self.kappa),
            "d": list(self.d),
            "batch_size": self.batch_sizes,
            **({RATE_FACTOR: sorted(rates)} if any(factors) else {}),
            "seed": list(range(self.seeds)),
            "step": list(range(1, self.steps + 1)),
        }

    def grid_settings(self, name: str, shared: Shared) -> dict[str, Any]:
        """With a table of counts also the digest of those, as a grid can outlive them."""
        settings, table = super().grid_settings(name, shared), self.frequencies
        if table:
            settings["counts_sha256"] = table.digest(shared.root, self.n_items)
        return sorted_plain(settings)

    def fit_settings(self, name: str, shared: Shared) -> dict[str, Any]:
        optimizers = {name: shared.optimizers[name] for name in self.optimizers}
        table = self.frequencies
        return sorted_plain(
            {
                **shared.fits,
                "experiment": name,
                "n_items": self.n_items,
                "frequencies": table
                and {"file": table.file, "sha256": table.digest(shared.root, self.n_items)},
                "own_embeddings": self.embeddings
                and {
                    "file": self.embeddings.file,
                    "rows": table and table.rows_digest(shared.root, self.n_items),
                },
                "root_seed": shared.seed,
                "options": {o: numeric_options(model) for o, model in optimizers.items()},
                "steps": self.steps,
                "gradient": self.gradient,
                "prefix_share": self.prefix_share,
                "learning_rates": {o: m.learning_rate.model_dump() for o, m in optimizers.items()},
                "maps": {o: spectral_map(model) for o, model in optimizers.items()},
                "theory": {o: theory_of(model) for o, model in optimizers.items()},
            }
        )
