"""The file of claims: what it may say, checked before any job starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import yaml
from annotated_types import Ge
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)


class Claim(BaseModel):
    """One entry of the claims file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    statement: str
    source: str
    experiment: str
    optimizer: str
    quantity: Literal["capacity", "bulk_singular_value", "mean_inverse_singular_value"]
    fit: Literal["ols", "wls", "largest", "corrected"]
    log_powers: Annotated[float, Ge(0), Field(allow_inf_nan=False)]

    @model_validator(mode="after")
    def _fit_exists(self) -> Claim:
        if self.fit == "wls" and self.quantity != "capacity":
            raise ValueError("fit wls weighs counts; singular values are fitted by ols or largest")
        return self


def read_claims(path: str | os.PathLike) -> list[Claim]:
    """The claims of a YAML file. Raises ValueError that names the file, the entry and the key."""
    try:
        entries = yaml.safe_load(Path(path).read_text()) or []
        claims = TypeAdapter(list[Claim]).validate_python(entries)
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"{path}: entry {where}: {first['msg']}") from error
    ids = [claim.id for claim in claims]
    if repeated := {i for i in ids if ids.count(i) > 1}:
        raise ValueError(f"{path}: each id once; repeated: {', '.join(sorted(repeated))}")
    return claims
