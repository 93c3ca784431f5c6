"""What the finite-size theory predicts for the points of a grid: no fit parameter, and no simulated matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import xarray as xr
from jaxtyping import Float

from spectral_capacity.analysis.quantities import LINE, PREDICTED
from spectral_capacity.analysis.settings import FitSettings
from spectral_capacity.sampling.surrogates import moments
from spectral_capacity.theory import (
    anisotropic_step,
    gradient_step,
    muon_step,
    newton_step,
    spectral_response,
)
from spectral_capacity.theory.anisotropic_resolvent import EmbeddingSpectrum
from spectral_capacity.theory.exact_steps import exact_muon
from spectral_capacity.theory.exponents import bulk_exponent
from spectral_capacity.theory.items import Items
from spectral_capacity.theory.learning_rates import rate_at
from spectral_capacity.theory.predictions import linear_response_capacity
from spectral_capacity.theory.prefixes import robust_prefix
from spectral_capacity.theory.rounding import Rounding
from spectral_capacity.theory.spectral_maps import scalar_map
from spectral_capacity.theory.spectral_response import LARGEST_D, SpikedSpectrum
from spectral_capacity.theory.steps_prediction import MuonSteps, StepsPrediction
from spectral_capacity.theory.thresholded_gradient import thresholded_gradient
from spectral_capacity.theory.thresholded_steps import thresholded_muon

MOST_STEPS = {"exact": 4, "thresholded": 8}
"""By gradient, after how many steps there still is a prediction."""
FLAT = 1e-9
"""Smallest over largest variance of embeddings that span all dimensions."""
EXACT_FROM_D = 128
"""Below it exact steps at η = 2√d are no longer predicted to a few per cent (docs/theory.md)."""
SAMPLES = 1024
"""Drawn items behind a step with anisotropic outputs: counts are good to half a per cent."""
GRADIENT_TO_D = 512
"""Above it spikes of items count that the prediction of thresholded gradient descent does not draw."""


def predictions(grid: xr.Dataset, settings: FitSettings) -> xr.Dataset:
    """Quantities of :data:`analysis.quantities.PREDICTED` over (*LINE, d), NaN where the theory says nothing.

    Of Gaussian embeddings, isotropic, or with outputs of a power-law spectrum, or with the covariances of a
    user's own (:class:`_OwnSpectra`). One step: Muon, Newton and gradient descent on the population, isotropic
    or not (gradient descent not with a power law); on minibatches Muon and gradient descent, isotropic. Any
    other spectral map of the package on the population, isotropic, up to
    :data:`theory.spectral_response.LARGEST_D`. Of a user's own map, whose code a fit does not have, a count in
    linear response, from what the cells measured of it, under a name of its own. Of SignSGD nothing.
    Several steps of the population, isotropic: Muon, polar or smoothed, on thresholded gradients, the polar map
    on exact ones, and gradient descent on thresholded ones.
    """
    shape = tuple(grid.sizes[dim] for dim in (*LINE, "d"))
    found = {name: np.full(shape, np.nan) for name in PREDICTED}
    steps = grid.step.values.tolist()
    spectra = _Spectra()
    own = {
        d: _OwnSpectra.of(*settings.own_vectors(d))
        for d in grid.d.values.tolist()
        if settings.own_embeddings
    }
    for where in np.ndindex(shape[:-2]):
        run = dict(zip(LINE[:-1], where, strict=True))
        at = {dim: grid[dim].values[i].item() for dim, i in run.items()}
        for i, d in enumerate(grid.d.values.tolist()):
            point = _Point(**at, d=d, settings=settings, spectra=spectra, own=own.get(d))
            for t, numbers in enumerate(point.after(steps)):
                for name, number in numbers.items():
                    found[name][(*where, t, i)] = number
            if point.own_map:
                first = grid.isel({**run, "step": 0}).sel(d=d)
                found["linear_response"][(*where, 0, i)] = point.in_linear_response(first)
    coordinates = {dim: grid[dim].values for dim in (*LINE, "d")}
    return xr.Dataset(
        {name: ((*LINE, "d"), v, {"long_name": PREDICTED[name]}) for name, v in found.items()},
        coordinates,
    )


class _Spectra(dict[tuple[float, int, Rounding | None], SpikedSpectrum]):
    """What all spectral maps of one (α, d) and one arithmetic share."""

    def of(self, alpha: float, d: int, rounding: Rounding | None, items: Items) -> SpikedSpectrum:
        if (alpha, d, rounding) not in self:
            self[alpha, d, rounding] = SpikedSpectrum.of(items, d, rounding)
        return self[alpha, d, rounding]


@dataclass(frozen=True)
class _OwnSpectra:
    """Spectra of a user's embeddings: of the second moment of inputs and of the covariance of outputs.

    G_0 subtracts the mean of outputs, and all competitors have it; nothing subtracts that of inputs.
    """

    inputs: EmbeddingSpectrum
    outputs: EmbeddingSpectrum

    @classmethod
    def of(cls, U: Float[np.ndarray, "n d"], V: Float[np.ndarray, "n d"]) -> _OwnSpectra | None:
        """None where vectors span no more than a part of the d dimensions."""
        (mean, covariance), (_, outputs) = moments(U), moments(V)
        found = [np.linalg.eigvalsh(m) for m in (covariance + np.outer(mean, mean), outputs)]
        if min(variances[0] / variances[-1] for variances in found) < FLAT:
            return None
        return cls(*map(EmbeddingSpectrum.of, found))


class _Point:
    """One optimizer in one setting: what it is expected to recall after each step."""

    def __init__(
        self,
        *,
        optimizer: str,
        alpha: float,
        kappa: float,
        batch_size: float,
        d: int,
        settings: FitSettings,
        spectra: _Spectra,
        own: _OwnSpectra | None,
    ) -> None:
        self.alpha, self.kappa, self.d, self.settings = alpha, kappa, d, settings
        self.batch_size = None if math.isinf(batch_size) else int(batch_size)
        self.theory, self.spectra, self.own = settings.theory[optimizer], spectra, own
        of = settings.maps[optimizer]
        self.scalar_map = scalar_map(of, d=d, alpha=alpha) if of else None
        self.rounding = Rounding.of(of) if of else None
        self.own_map = bool(of) and self.scalar_map is None
        self.learning_rate = settings.learning_rates[optimizer]
        self.one_rate = not self.learning_rate.get("sweep")
        self.resolution = settings.bulk_resolution(optimizer)
        self.ridge = settings.options[optimizer].get("ridge", 0.0)

    @cached_property
    def items(self) -> Items:
        return Items.of(self.settings.item_frequencies(self.alpha))

    def after(self, steps: Sequence[int]) -> list[dict[str, float]]:
        """What is predicted after each of these steps, nothing where there is no prediction."""
        several, found = None, []
        population = self.batch_size is None and self.kappa == 0
        if max(steps) > 1 and population and not self.settings.own_embeddings:
            most = MOST_STEPS[self.settings.gradient]
            several = self._several(max((t for t in steps if t <= most), default=1))
        for t in steps:
            recovered, numbers = self._first() if t == 1 else None, {}
            if several is not None and t <= len(several.recovered):
                recovered = several.recovered[t - 1] if t > 1 else recovered
                if isinstance(several, MuonSteps) and self.one_rate:
                    variance = several.variances[t - 1]
                    numbers["logit_noise"] = self._rate(t) * math.sqrt(variance / self.d)
            if recovered is not None and np.isfinite(recovered).all():
                numbers |= self._of(recovered)
            found.append(numbers)
        return found

    def _of(self, recovered: Float[np.ndarray, " k"]) -> dict[str, float]:
        """Of the probabilities that items are recovered."""
        items = self.items
        head = np.clip(self.d - (items.rank - (items.weight + 1) / 2), 0, items.weight)
        return {
            "capacity": float(items.sum(recovered)),
            "robust_prefix": robust_prefix(items, recovered, self.settings.prefix_share),
            "recovered_mass": float(items.sum(recovered * items.p)),
            "head_recall": float(head @ recovered / head.sum()),
        }

    def _rate(self, step: int) -> float:
        return rate_at(self.learning_rate, self.d, self.alpha, step)

    def _first(self) -> Float[np.ndarray, " k"] | None:
        """Probabilities of the items after the first step."""
        items, d, batch = self.items, self.d, self.batch_size
        if self.settings.own_embeddings:
            return self._first_of_own()
        if self.kappa and (self.theory == "gradient" or batch):
            return None
        if self.theory == "newton":
            if batch is not None:
                return None
            return newton_step.recovery_probability(items, d, ridge=self.ridge)
        if self.theory == "gradient":
            return gradient_step.recovery_probability(items, d, batch_size=batch)
        if self.kappa and self.theory == "muon":
            spectrum = EmbeddingSpectrum.power_law(d, self.kappa)
            return anisotropic_step.recovery_probability(items, spectrum, samples=SAMPLES)
        if self.theory == "muon" or self._resolutions(1):
            (resolution,) = self._resolutions(1) or (0.0,)
            options = {"batch_size": batch, "resolution": resolution}
            recovered = muon_step.recovery_probability(items, d, **options)
            if np.isfinite(recovered).all():
                return recovered
        return self._any_map()

    def _first_of_own(self) -> Float[np.ndarray, " k"] | None:
        """With Gaussian embeddings that have the covariances of a user's own."""
        own, items = self.own, self.items
        if own is None or self.batch_size or self.kappa:
            return None
        if self.theory == "newton":  # no invertible map of the embeddings changes what it recalls
            return newton_step.recovery_probability(items, self.d, ridge=self.ridge)
        if self.theory == "gradient":
            dimensions = own.outputs.effective_d, own.inputs.effective_d
            return gradient_step.recovery_probability(items, dimensions[0], input_d=dimensions[1])
        if self.theory == "muon":
            options = {"inputs": own.inputs, "samples": SAMPLES}
            return anisotropic_step.recovery_probability(items, own.outputs, **options)
        return None

    def _any_map(self) -> Float[np.ndarray, " k"] | None:
        """Of a map without a closed form, or outside of its limits."""
        population = self.kappa == 0 and self.batch_size is None
        if self.scalar_map is None or not population or self.d > LARGEST_D:
            return None
        spectrum = self.spectra.of(self.alpha, self.d, self.rounding, self.items)
        return spectral_response.recovery_probability(self.items, spectrum, self.scalar_map)

    def _several(self, steps: int) -> StepsPrediction | None:
        """What is expected after each of the first steps."""
        items, d = self.items, self.d
        rates = [self._rate(t) for t in range(1, steps + 1)]
        schedule = "warm-up" if self.learning_rate.get("warmup") else self.learning_rate["schedule"]
        constant = schedule == "constant"
        if self.settings.gradient == "thresholded":
            resolutions = self._resolutions(steps)
            if constant and (self.theory == "muon" or resolutions):
                return thresholded_muon(items, d, steps, resolutions=resolutions)
            known = constant or schedule == "growing"
            if self.theory == "gradient" and known and d <= GRADIENT_TO_D:
                return thresholded_gradient(items, d, rates)
        elif self.theory == "muon" and constant and self.one_rate and d >= EXACT_FROM_D:
            return exact_muon(items, d, steps, learning_rate=rates[0])
        return None

    def _resolutions(self, steps: int) -> list[float] | None:
        """λ_t of a smoothed polar map that is given in units of the bulk; None of any other map."""
        if self.resolution is None or self.alpha <= 1:
            return None
        bulk = [self.d ** bulk_exponent(self.alpha, t) for t in range(1, steps + 1)]
        return [self.resolution * scale for scale in bulk]

    def in_linear_response(self, measured: xr.Dataset) -> float:
        """The count of a map of the population's gradient, from its measured slope and noise."""
        slope, noise = (measured[name].mean().item() for name in ("signal_slope", "logit_noise"))
        known = math.isfinite(slope) and noise > 0 and not self.settings.own_embeddings
        if not known or self.batch_size is not None or self.kappa:
            return math.nan
        return linear_response_capacity(self.settings.item_frequencies(self.alpha), slope, noise)
