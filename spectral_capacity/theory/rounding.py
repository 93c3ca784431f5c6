"""Newton–Schulz in low precision: what rounding adds to a gradient, and how many items that leaves.

Errors of S = XXᵀ and of what is made of it multiply X from the left, X ← (1 + δ)X: they turn singular vectors
by as much as δ and lose none. What is left is added to X: errors of its entries, of a X, of (bS + cS²)X and of
their sum. Iterations amplify them as they do a small singular value, so that an error of the j-th is one of G
over a₁ ⋯ a_j, and those of the first iterations decide. docs/newton_schulz.md derives the law from that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.newton_schulz import coefficients as polynomials

FORMATS = {"float32": (24, -126), "bfloat16": (8, -126), "float16": (11, -14)}
"""Bits of the significand, with the leading one, and the exponent of the smallest normal number."""

COUNTED = 8
"""Iterations whose errors count; those of later ones are below 1 % of all."""

NOISE = 0.73
"""ε over the unit roundoff, Jordan's coefficients: 0.71 to 0.75 for gradients with α from 3 to 1.5."""


@dataclass(frozen=True)
class Rounding:
    """The arithmetic of :func:`optimizers.maps.newton_schulz`."""

    coefficients: str
    precision: str
    safety: float = 1.0

    @classmethod
    def of(cls, spectral_map: Mapping[str, Any]) -> Rounding | None:
        """That of a configured map, ``{name: …, options}``; None where it is float64 or no iteration."""
        precision = spectral_map.get("precision", "float64")
        if spectral_map["name"] != "newton_schulz" or precision == "float64":
            return None
        return cls(spectral_map["coefficients"], precision, spectral_map["safety"])

    def noise(self, G: Float[np.ndarray, "d d"]) -> Float[np.ndarray, "d d"]:
        """Standard deviations of the independent errors of the entries of G that stand for all rounding."""
        norm = self.safety * np.linalg.norm(G)
        X, growth = G / norm, 1.0
        variance = rounding_error(X, self.precision) ** 2
        for a, b, c in polynomials(self.coefficients, COUNTED, self.safety):
            S = X @ X.T
            linear, rest = a * X, (b * S + c * S @ S) @ X
            X, growth = linear + rest, growth * a
            for rounded in (linear, rest, X):
                variance += (rounding_error(rounded, self.precision) / growth) ** 2
        return norm * np.sqrt(variance)


def rounding_error(X: Float[np.ndarray, "*n"], precision: str) -> Float[np.ndarray, "*n"]:
    """Standard deviation of what rounding to nearest adds to each number: the spacing there over √12.

    0.42 u|x| on average, u the unit roundoff. Numbers below the smallest normal one have its spacing.
    """
    bits, least = FORMATS[precision]
    exponent = np.maximum(np.frexp(X)[1] - 1, least)
    return np.ldexp(1 / math.sqrt(12), exponent - bits + 1)


def noise_level(precision: str) -> float:
    """ε: norm of the errors over that of the gradient, ‖E‖_F = ε‖G‖_F, :data:`NOISE` unit roundoffs."""
    return NOISE * 2.0 ** -FORMATS[precision][0]


def deepest(d: int, noise: float, slope: float) -> float:
    """Depth k = ln(√d/ε)/ln a at which iterations lift the noise too: more of them gain next to nothing.

    The noise ε‖G‖_F has singular values around ε‖G‖_F/√d; k iterations lift what is above ‖G‖_F/aᵏ.
    """
    return math.log(math.sqrt(d) / noise) / math.log(slope)


def wall(alpha: float, noise: float) -> float:
    """d_u at which noise would fill as much of the spectrum as all items do, p ∝ i^(−α) without end.

    d_u^(α − 1/2) = 1/(ε √ζ(2α) s^α), s = (2α/π) sin(π/2α). Not a whole number. ``alpha`` above 1.
    """
    from scipy.special import zeta

    taken = (2 * alpha / math.pi * math.sin(math.pi / (2 * alpha))) ** alpha
    return (noise * math.sqrt(zeta(2 * alpha)) * taken) ** (-1 / (alpha - 0.5))


def share_kept(alpha: float, d: float, noise: float) -> float:
    """Items that any number of iterations keeps, over those of the exact polar map: of d/d_u and α alone.

    The gradient's largest singular value decides where errors are: in row i and column j they have variances
    in proportion to r_i c_j, squares of two independent normals. With y = (d/d_u)^(2α−1), d_u the :func:`wall`,

        share = [(1 + α) ∫ (A − x^(1/α))₊ dx]^(1/α),  A = E 1/(1 + θ r),  x = θ A/√(y (1 − A)),  θ from 0 to ∞.

    Four fifths to nine tenths at the wall, beyond it as (d/d_u)^(−1 + 1/(2α)) but for a logarithm, so that the
    count grows as (d/ε)^(1/α). To leading order in d.
    """
    from scipy.special import erfcx

    y = (d / wall(alpha, noise)) ** (2 * alpha - 1)
    theta = np.geomspace(1e-10 * min(y, 1), 1e3 * y, 2001)
    normal = theta > 1e-4
    some = np.where(normal, theta, 1)
    A = np.where(normal, np.sqrt(np.pi / 2 / some) * erfcx(np.sqrt(0.5 / some)), 1 - theta)
    x = theta * A / np.sqrt(y * np.where(normal, 1 - A, theta))
    return float((1 + alpha) * np.trapezoid((A - x ** (1 / alpha)).clip(0), x)) ** (1 / alpha)
