"""What one Muon step makes of a new item: draws of its logit and of the spread of its competitors' logits.

The gradient is replaced by the mean of its resolvents and Gaussian fields around it, whose size does not grow
with d; d × d matrices are never made.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from spectral_capacity.theory.anisotropic_resolvent import Resolvent

LEADING = 6
"""Eigendirections of Ξ whose draws are a low-discrepancy sequence."""

MODES = 16
"""Principal components over t that a field has, which hold all but 1e-3 of its variance, and of what it adds to
the variance of competitors."""

CHUNK = 256
"""Items at a time: for memory."""


class Response:
    """Some drawn items (u, v), and what they meet in W = polar(G + p v uᵀ), for any p.

    z = W u is (2/π) ∫ [(1 + pε)/Q · G (t² + GᵀG)⁻¹u + p m_u/Q · t (t² + GGᵀ)⁻¹v] dt, exactly, with the forms
    m_u, m_v of :class:`Resolvent`, ε = vᵀG (t² + GᵀG)⁻¹u and Q = (1 + pε)² + p² m_u m_v. Here the two vectors
    and the three forms are Gaussian for given g_k = v_k/√λ_k and h_l = u_l/√θ_l, and enter to first order
    around Q = 1 + x, x = p² w ξ ζ, ξ = Σ_k ν_k g_k², ζ = Σ_l η_l h_l². Of a group of equal eigenvalues the
    component along g is drawn; those across have their mean square.

    That |z| = |u| where W is orthogonal is imposed. Of isotropic inputs |u| is all that counts, and is the
    length of the z that is drawn at p = 0; of others h is drawn, and z scaled.
    """

    def __init__(self, answer: Resolvent, draws: dict[str, np.ndarray]) -> None:
        self.answer, outputs, inputs = answer, answer.outputs, answer.inputs
        nu, eta, g = answer.nu, answer.eta, draws["g"]
        self.g, self.across = g, draws["across"]
        noise = _modes(answer, "noise", _by_directions(answer, "noise", 1.0))
        output = _modes(answer, "output", _by_directions(answer, "output", answer.w))
        self.noise_map, self.output_map = _by_direction(nu, noise), _by_direction(nu, output)

        squares = draws["squares"]  # of h, summed over each group
        spread = squares @ (eta**2).T / (inputs.multiplicity @ (eta**2).T)  # Σ η² h² over its mean
        still = np.sqrt(spread) * answer.dt
        square = self._along(still, self.noise_map, draws["noise"]) ** 2
        square += self.across * self._square(still, self.noise_map)
        length = np.sqrt(square @ (1 / outputs.eigenvalues))
        if inputs.isotropic:
            squares, spread = squares * length[:, None] ** 2, spread * length[:, None] ** 2
        self.length_squared = squares @ inputs.eigenvalues
        scale = np.sqrt(self.length_squared) / length
        self.still = still * scale[:, None]
        self.noise, self.output = draws["noise"], draws["output"]
        self.xi, self.zeta = g**2 @ nu.T, squares @ eta.T
        self.epsilon = self._projected(self.noise_map, self.noise) * self.still / answer.dt
        self.of_v = draws["form"] @ _modes(answer, "form", answer.w).T
        self.of_xi = self.of_v + self._projected(self.output_map, self.output) / self.xi
        self.of_u = draws["input"] @ _modes(answer, "input", answer.w).T * spread / self.zeta

    def logit_and_variance(
        self, p: float
    ) -> tuple[Float[np.ndarray, " s"], Float[np.ndarray, " s"]]:
        """vᵀz, and the variance zᵀΞz of a competitor's logit, for items of frequency p."""
        answer, eigenvalues = self.answer, self.answer.outputs.eigenvalues
        x = p**2 * answer.w * self.xi * self.zeta
        left = 1 / (1 + x)
        signal = answer.dt * left * p * answer.w * self.zeta
        epsilon = p * self.epsilon
        logit = signal * self.xi * (1 + left * (self.of_u + self.of_xi))
        logit += answer.dt * left**2 * (1 - x) * self.epsilon

        noise = self.still * left * (1 + left * ((x - 1) * epsilon - x * (self.of_u + self.of_xi)))
        mean = signal * (1 + self.of_v + left * (self.of_u - x * self.of_xi - 2 * epsilon))
        z = self.g * (mean @ answer.nu)
        z += self._along(noise, self.noise_map, self.noise)
        z += self._along(signal, self.output_map, self.output)
        square = self._square(noise, self.noise_map) + self._square(signal, self.output_map)
        square = z**2 + self.across * square
        length = square @ (1 / eigenvalues) / self.length_squared if answer.full_rank else 1.0
        return logit.sum(axis=1), square.sum(axis=1) / length

    def _along(self, weights, field_map, modes):
        """∫ of a field over t, along g, with these weights: (s, k)."""
        projected = (weights @ field_map).reshape(-1, *modes.shape[1:])
        return np.einsum("skm,skm->sk", np.broadcast_to(projected, modes.shape), modes)

    def _square(self, weights, field_map):
        """Mean square of the same in a direction across g."""
        projected = (weights @ field_map).reshape(weights.shape[0], self.g.shape[1], -1)
        return np.einsum("skm,skm->sk", projected, projected)

    def _projected(self, field_map, modes):
        """Σ_k g_k × a field, at each t: (s, t)."""
        return (self.g[:, :, None] * modes).reshape(self.g.shape[0], -1) @ field_map.T


def responses(answer: Resolvent, samples: int, seed: int) -> Iterator[Response]:
    """``samples`` drawn items, some at a time. The draws of a direction are the same whatever others there are:
    counts at two d differ by little noise."""
    from scipy.special import gammaincinv, ndtri

    outputs, inputs = answer.outputs, answer.inputs
    size = outputs.multiplicity
    groups = size.size
    uniform = _uniform(seed, samples, groups)
    g = np.sqrt(2 * gammaincinv(size / 2, uniform[:, 0, 1:]))
    across = np.zeros_like(g)
    many = size > 1
    across[:, many] = 2 * gammaincinv((size[many] - 1) / 2, uniform[:, 1, 1:][:, many])
    first = ndtri(uniform[:, 2, 1:])
    direction = np.sqrt(outputs.eigenvalues) * g
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    along = ndtri(uniform[:, 2, 0]) - (first * direction).sum(axis=1)
    first += along[:, None] * direction
    squares = np.broadcast_to(inputs.multiplicity, (samples, inputs.multiplicity.size))
    if not inputs.isotropic:
        squares = np.random.default_rng([seed, 0, 1]).chisquare(squares)
    streams = [np.random.default_rng([seed, 1 + k]) for k in range(groups + 1)]
    for start in range(0, samples, CHUNK):
        part = slice(start, min(start + CHUNK, samples))
        count = part.stop - part.start
        common, *own = (rng.standard_normal((2, count, MODES)) for rng in streams)
        noise, output = np.stack(own, axis=2)
        noise[:, :, 0] = first[part]
        fields = {"noise": noise, "output": output, "form": common[0], "input": common[1]}
        lengths = {"g": g[part], "across": across[part], "squares": squares[part]}
        yield Response(answer, lengths | fields)


def _modes(
    answer: Resolvent, name: str, weight: Float[np.ndarray, " t"] | float
) -> Float[np.ndarray, "t m"]:
    """Principal components of a field, best for its integral over t with this weight."""
    kernel = getattr(answer, name)
    scale = answer.dt * weight
    value, vector = np.linalg.eigh(kernel * np.outer(scale, scale))
    value, vector = value[::-1][:MODES], vector[:, ::-1][:, :MODES]
    vector = vector * np.where(
        vector.sum(axis=0) < 0, -1, 1
    )  # the same draws mean the same at any d
    return vector * np.sqrt(value.clip(0)) / scale[:, None]


def _by_directions(
    answer: Resolvent, name: str, weight: Float[np.ndarray, " t"] | float
) -> Float[np.ndarray, " t"]:
    """A weight over t for fields of all eigendirections, each of which has its own range of t.

    Those of large eigenvalues, the competitors' variance, lie at large t, those of small ones, the length of z,
    at small t: in the limit decades apart. Both count, each relative to the whole.
    """
    power = np.diag(getattr(answer, name)) * (answer.dt * weight) ** 2
    squares = answer.nu**2 * answer.outputs.multiplicity
    variance, length = squares.sum(axis=1), squares @ (1 / answer.outputs.eigenvalues)
    both = variance / (power @ variance) + length / (power @ length)
    return weight * np.sqrt(both)


def _by_direction(
    nu: Float[np.ndarray, "t k"], modes: Float[np.ndarray, "t m"]
) -> Float[np.ndarray, "t km"]:
    return (nu[:, :, None] * modes[:, None, :]).reshape(nu.shape[0], -1)


def _uniform(seed: int, samples: int, groups: int) -> Float[np.ndarray, "s 3 k"]:
    """Uniform draws of three kinds, one for the whole and one a group, the first ones of a Sobol sequence."""
    from scipy.stats.qmc import Sobol

    rng = np.random.default_rng([seed, 0])
    first = min(LEADING, groups)
    sequence = np.clip(Sobol(3 * (1 + first), rng=rng).random(samples), 1e-9, 1 - 1e-9)
    rest = rng.random((groups - first, 3, samples)).transpose(2, 1, 0)
    return np.concatenate([sequence.reshape(samples, 3, 1 + first), rest], axis=2)
