"""What a fit must know beside its grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float

from spectral_capacity.sampling.frequencies import item_frequencies, item_rows
from spectral_capacity.sampling.own_embeddings import load_own_embeddings


@dataclass(frozen=True)
class FitSettings:
    """Settings of the fits of one experiment.

    largest: how many of the largest d's the fit of that name uses. bootstrap: resamples of the seeds.
    confidence: of every interval. root_seed: of the resampling. n_items: N. frequencies: ``file`` and
    ``sha256`` of a table of counts; None for the power law. own_embeddings: of a user's embeddings the ``file``
    and the digest of their ``rows``, None where all are used; None for the Gaussian ones. gradient: ``exact``
    or ``thresholded``. prefix_share: of the robust prefix. Of each optimizer ``theory``, the one that applies:
    ``muon``, ``gradient``, ``newton`` or ``none``; ``learning_rates``, each with ``scale``, ``d_power`` and
    ``schedule``; its map in ``maps``, None where it has none; its numeric ``options``.
    """

    largest: int
    bootstrap: int
    confidence: float
    root_seed: int
    n_items: int
    frequencies: Mapping[str, Any] | None
    own_embeddings: Mapping[str, Any] | None
    gradient: str
    prefix_share: float
    theory: Mapping[str, str]
    learning_rates: Mapping[str, Mapping[str, Any]]
    maps: Mapping[str, Mapping[str, Any] | None]
    options: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> FitSettings:
        """From a mapping with these keys and any others."""
        return cls(**{field.name: settings[field.name] for field in fields(cls)})

    def bulk_resolution(self, optimizer: str) -> float | None:
        """λ of a smoothed polar map in units of the gradient's bulk; None of any other map."""
        of = self.maps[optimizer] or {}
        if (
            of.get("name") != "smoothed_polar"
            or of["unit"] != "bulk"
            or of["resolution"] == "theory"
        ):
            return None
        return float(of["resolution"])

    def item_frequencies(self, alpha: float) -> Float[np.ndarray, " n"]:
        """p of the experiment's items: the power law, or the table's."""
        table = self.frequencies or {"file": None}
        return item_frequencies(self.n_items, alpha, table["file"], table.get("sha256"))

    def own_vectors(self, d: int) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n d"]]:
        """(U, V) of the experiment's items in the user's file, of its first seed."""
        own, table = self.own_embeddings, self.frequencies or {"file": None}
        rows = item_rows(self.n_items, table["file"], own["rows"])
        path = own["file"].replace("{d}", str(d))
        return load_own_embeddings(path, 0, rows)
