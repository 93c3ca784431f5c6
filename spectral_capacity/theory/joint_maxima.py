"""The largest logits of many competitors, step after step: they are not independent between steps."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, Int64

EXPECTED = 12.0
"""Competitors of a draw, on average, above the level at which they are looked at. None is there once in e¹²."""


class JointMaxima:
    """Maxima over ``number`` competitors of correlated normals, drawn one time after another.

    Each competitor has values y_1, y_2, … ~ N(0, 1) with correlations that are known only as far as the times
    that have come; competitors are independent. Only those matter that are above a high level u at some time:
    a Poisson process, of intensity ``number`` times the normal law, of which exactly these points are drawn.
    At a new time the known points are continued given their past, and points that are above u for the first
    time are added, with a past that is below it. Exact for ``number`` → ∞, and to about 1/``number`` else.

    draws: how many independent sets of competitors. generator: of the random numbers.
    """

    def __init__(self, number: float | int, draws: int, generator: np.random.Generator) -> None:
        from scipy.special import ndtri

        self._draws, self._generator = draws, generator
        self._expected = min(EXPECTED, number / 2)
        self._tail = self._expected / number
        self._level = -float(ndtri(self._tail))
        self._owner = np.empty(0, np.int64)
        self._values = np.empty((0, 0))

    def next(self, correlation: Float[np.ndarray, "t t"]) -> Float[np.ndarray, " draws"]:
        """Maxima at time t, ``correlation`` being that of all times up to it. It must continue the last one."""
        past, now = correlation[:-1, :-1], correlation[:-1, -1]
        known = self._continued(past, now)
        owner, new = self._new(past, now)
        self._owner = np.concatenate([self._owner, owner])
        self._values = np.concatenate([known, new])
        largest = np.full(self._draws, self._level)
        np.maximum.at(largest, self._owner, self._values[:, -1])
        return largest

    def _continued(
        self, past: Float[np.ndarray, "s s"], now: Float[np.ndarray, " s"]
    ) -> Float[np.ndarray, "points t"]:
        """The known points with a value at the new time, given those that they have."""
        slope = np.linalg.solve(past + 1e-9 * np.eye(now.size), now)
        spread = math.sqrt(max(1 - now @ slope, 0.0))
        noise = self._generator.standard_normal(self._owner.size)
        value = self._values @ slope + spread * noise
        return np.column_stack([self._values, value])

    def _new(
        self, past: Float[np.ndarray, "s s"], now: Float[np.ndarray, " s"]
    ) -> tuple[Int64[np.ndarray, " points"], Float[np.ndarray, "points t"]]:
        """Points that are above the level for the first time now, and whose they are."""
        from scipy.special import ndtri

        counts = self._generator.poisson(self._expected, self._draws)
        owner = np.repeat(np.arange(self._draws), counts)
        value = -ndtri(self._tail * (1 - self._generator.random(owner.size)))
        root = _square_root(past - np.outer(now, now))
        noise = self._generator.standard_normal((owner.size, now.size))
        before = value[:, None] * now + noise @ root.T
        first = (before <= self._level).all(axis=1)
        return owner[first], np.column_stack([before, value])[first]


def correlation(covariance: Float[np.ndarray, "t t"]) -> Float[np.ndarray, "t t"]:
    """Correlations from covariances."""
    scale = np.sqrt(np.diagonal(covariance))
    return covariance / np.outer(scale, scale)


def _square_root(covariance: Float[np.ndarray, "s s"]) -> Float[np.ndarray, "s s"]:
    """A with A Aᵀ the covariance, which may be singular."""
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.clip(values, 0, None))
