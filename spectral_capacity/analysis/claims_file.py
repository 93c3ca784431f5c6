"""The file of claims: what it may say, checked before any job starts."""

from __future__ import annotations

import os
from collections import Counter
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, MinLen
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from spectral_capacity.analysis.quantities import PREDICTED, QUANTITIES
from spectral_capacity.analysis.run_quantities import RUN_QUANTITIES
from spectral_capacity.results.plain_yaml import read_yaml

READ_AS_MISSING = frozenset().union(
    {"", "NA", "<NA>", "#NA", "N/A", "n/a", "#N/A", "#N/A N/A", "NULL", "null", "None"},
    {"NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"},
)
"""What pandas takes for "nothing" in a CSV file; written out, since importing pandas takes a second."""


FIT_STATISTICS = ("exponent", "level", "asymptote", "alpha_slope")
RECALL_STATISTICS = ("advantage", "kept", "saturating_batch")
"""What a claim about transformers may be about; see :mod:`analysis.recall_claims`."""
OF_ONE = ("mean", "exponent_of_runs", "step_exponent", "rate_exponent")
OF_TWO = ("ratio", "ratio_exponent", "critical_batch_ratio")
RUN_STATISTICS = OF_ONE + OF_TWO
"""What a claim about runs of a memory may be about, of one optimizer or against others; see
:mod:`analysis.run_claims`."""
RECALL_QUANTITIES = ("accuracy_id", "accuracy_ood", "memory_recall")
"""Measurements of transformers that claims may name."""


def _known(quantity: str) -> str:
    if quantity not in QUANTITIES:
        raise ValueError(f"{quantity!r} is not known; allowed: {', '.join(QUANTITIES)}")
    return quantity


def _known_of_runs(quantity: str) -> str:
    if quantity not in RUN_QUANTITIES:
        raise ValueError(f"{quantity!r} is not known; allowed: {', '.join(RUN_QUANTITIES)}")
    return quantity


def _known_statistic(statistic: Any) -> Any:
    known = FIT_STATISTICS + RUN_STATISTICS + RECALL_STATISTICS
    if statistic not in known:
        raise ValueError(f"{statistic!r} is not known; allowed: {', '.join(known)}")
    return statistic


def _can_be_read_back(claim_id: str) -> str:
    if claim_id in READ_AS_MISSING:
        raise ValueError(f"{claim_id!r} in a table is read as a missing value; name it otherwise")
    return claim_id


Names = str | Annotated[list[str], MinLen(1)]
Steps = Annotated[list[Annotated[int, Ge(1)]], MinLen(1)] | Literal["last"]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Deviation = Annotated[float, Ge(0), Field(allow_inf_nan=False)]


class Claim(BaseModel):
    """What every entry of the claims file has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, AfterValidator(_can_be_read_back)]
    statement: str
    source: str
    note: Annotated[str, MinLen(1)] | None = None
    figure: Annotated[str, MinLen(1)] | None = None
    experiment: str
    relation: Literal["equal", "at_most", "at_least"] = "equal"


class FitClaim(Claim):
    """About fits: how something grows with d, here or in the limit, or what it is at the largest d."""

    optimizer: Names
    quantity: Annotated[str, AfterValidator(_known)]
    steps: Steps = [1]
    batch_sizes: Annotated[list[Annotated[int, Ge(1)]], MinLen(1)] | None = None
    from_d: Annotated[int, Ge(1)] | None = None
    statistic: Annotated[Literal[FIT_STATISTICS], BeforeValidator(_known_statistic)] = "exponent"
    fit: Literal["ols", "wls", "largest", "corrected"] | None = None
    predicted: Literal["theory", "muon"] | Finite = "theory"
    log_powers: Deviation | None = None
    tolerance: Deviation | None = None

    @property
    def optimizers(self) -> list[str]:
        return _listed(self.optimizer)

    @property
    def roles(self) -> dict[str, list[str]]:
        """The optimizers that it names, by the column of a table in which they stand."""
        return {"optimizer": self.optimizers}

    @model_validator(mode="after")
    def _keys_agree(self) -> FitClaim:
        quantity = QUANTITIES[self.quantity]
        if quantity.whole_run and self.steps != "last":
            raise ValueError(f"{self.quantity} is of a whole run: steps: last")
        if self.statistic == "exponent" and self.fit is None and not quantity.in_samples:
            raise ValueError("an exponent needs a fit: ols, wls, largest or corrected")
        if self.statistic in ("asymptote", "alpha_slope"):
            self._check_asymptote()
        if self.statistic == "level" and (self.fit or quantity.whole_curve):
            raise ValueError("a level is the value at the largest d, of a single point: no fit")
        if self.statistic == "level" and isinstance(self.predicted, str):
            raise ValueError("a level needs a number as predicted")
        if quantity.in_samples and (self.fit or self.log_powers is not None):
            raise ValueError(f"{self.quantity} is no exponent in d: no fit, and a tolerance")
        if self.fit == "wls" and self.quantity != "capacity":
            raise ValueError("fit wls weighs counts; other quantities are fitted by ols or largest")
        if (self.log_powers is None) == (self.tolerance is None):
            raise ValueError("give log_powers or tolerance, one of them")
        if self.statistic == "level" and self.tolerance is None:
            raise ValueError("a level needs a tolerance; log_powers are of exponents")
        if self.batch_sizes and self.statistic != "level":
            raise ValueError(
                "batch_sizes are for a level; exponents of claims are of the population"
            )
        return self

    def _check_asymptote(self) -> None:
        known = [name for name in PREDICTED if name in QUANTITIES] + ["critical_batch_size"]
        if self.quantity not in known:
            raise ValueError(f"an asymptote is of a quantity that is predicted: {', '.join(known)}")
        if self.fit or self.tolerance is None:
            raise ValueError("an asymptote needs a tolerance, and no fit: it has one of its own")
        if self.statistic == "alpha_slope" and isinstance(self.predicted, str):
            raise ValueError("a slope in 1/α needs a number as predicted")


class RunClaim(Claim):
    """About runs of a memory: what they measure, or one optimizer against others, seed by seed."""

    statistic: Literal[RUN_STATISTICS]
    optimizer: Names
    against: Names | None = None
    quantity: Annotated[str, AfterValidator(_known_of_runs)] = "capacity"
    steps: Steps = "last"
    batch_sizes: Annotated[list[Annotated[int, Ge(1)] | Literal["population"]], MinLen(1)] = [
        "population"
    ]
    items: Annotated[float, Gt(0)] = 1.0
    from_d: Annotated[int, Ge(1)] | None = None
    predicted: Finite
    tolerance: Deviation

    @property
    def optimizers(self) -> list[str]:
        return _listed(self.optimizer)

    @property
    def others(self) -> list[str]:
        """Those of ``against``."""
        return _listed(self.against or [])

    @property
    def roles(self) -> dict[str, list[str]]:
        """The optimizers that it names, by the column of a table in which they stand."""
        return {"optimizer": self.optimizers, "against": self.others}

    @model_validator(mode="after")
    def _keys_agree(self) -> RunClaim:
        if self.statistic in OF_TWO and not self.others:
            raise ValueError(f"{self.statistic} needs another optimizer: against")
        if self.statistic in OF_ONE and self.others:
            raise ValueError(f"{self.statistic} is of one optimizer: no against")
        if both := {*self.optimizers} & {*self.others}:
            raise ValueError(f"{min(both)!r} against itself")
        return self


class RecallClaim(Claim):
    """About transformers: one optimizer against others, seed by seed."""

    statistic: Literal[RECALL_STATISTICS]
    optimizer: str
    against: Annotated[list[str], MinLen(1)]
    quantity: Literal[RECALL_QUANTITIES]
    iteration: Literal["first", "last"]
    widths: Literal["each", "mean"] = "each"
    predicted: Finite
    tolerance: Deviation

    @property
    def roles(self) -> dict[str, list[str]]:
        """The optimizers that it names, by the column of a table in which they stand."""
        return {"optimizer": [self.optimizer], "against": self.against}

    @model_validator(mode="after")
    def _keys_agree(self) -> RecallClaim:
        if self.optimizer in self.against:
            raise ValueError(f"{self.optimizer!r} against itself")
        if self.statistic == "saturating_batch" and self.widths == "mean":
            raise ValueError("a saturating batch size is of each width: widths: each")
        return self


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


def _about(entry: Any) -> str:
    """Which of the three an entry is, by its ``statistic``."""
    given = entry.get("statistic") if isinstance(entry, dict) else None
    kinds = {"recall": RECALL_STATISTICS, "run": RUN_STATISTICS}
    return next((kind for kind, known in kinds.items() if given in known), "fit")


Claims = TypeAdapter(
    list[
        Annotated[
            Annotated[FitClaim, Tag("fit")]
            | Annotated[RunClaim, Tag("run")]
            | Annotated[RecallClaim, Tag("recall")],
            Discriminator(_about),
        ]
    ]
)


def read_claims(path: str | os.PathLike) -> list[Claim]:
    """The claims of a YAML file.

    Raises ValueError that names the file, the entry and the key, and OSError where there is no file.
    """
    entries = read_yaml(path)
    if os.path.getsize(path) == 0:
        raise ValueError(f"{path}: is empty; put it back, or write [] into it for no claims")
    try:
        claims = Claims.validate_python([] if entries is None else entries)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"][:1] + first["loc"][2:]))  # the second is a model's
        message = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"{path}: entry {where:.200}: {message:.500}") from error
    times = Counter(claim.id for claim in claims)
    if repeated := sorted(claim for claim, n in times.items() if n > 1):
        raise ValueError(f"{path}: each id once; repeated: {', '.join(repeated):.500}")
    return claims
