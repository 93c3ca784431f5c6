"""What optimizers do, from their definitions in the configuration behind a grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectral_capacity.incontext.optimizers import RULES as OF_TRANSFORMERS

RULES = {
    "gradient": "gradient descent (SGD on a batch): the gradient itself",
    "newton": "Newton step, with ridge {ridge:g}",
    "sign": "SignSGD: the sign of every entry of the gradient",
    "sgd": "SGD with momentum {momentum:g}",
    "adamw": "AdamW, its means decaying with {b1:g} and {b2:g}",
    "muon": "Muon on the matrices of the layers, with momentum {momentum:g} and {iterations} Newton–Schulz "
    "iterations; AdamW on embedding, positions and unembedding",
}
MAPS = {
    "identity": "gradient descent, as the map of singular values :math:`σ ↦ σ`",
    "polar": "Muon: the exact polar map, every singular value of the gradient becomes 1",
    "power": "singular values :math:`σ ↦ σ^{{{exponent:g}}}`",
    "smoothed_polar": "smoothed polar map, :math:`σ ↦ σ / \\sqrt{{σ^2 + λ^2}}`, :math:`λ = {resolution}`",
    "newton_schulz": "{iterations} Newton–Schulz iterations in place of the exact polar map, with the "
    "coefficients “{coefficients}”",
    "own": "an own map, ``{function}`` of ``{file}``",
}
"""By name, with their options; RST, as all that is said here."""


def described(definition: Mapping[str, Any]) -> str:
    """The update of an optimizer and its learning rate, in RST.

    definition: as the provenance of a grid has it: ``rule``, its options, ``map`` of a spectral one, and
    ``learning_rate``. A rule or map that is not known here has its name and its options.
    """
    if definition["rule"] in OF_TRANSFORMERS:
        return f"{update(definition)}; of the learning rates that are tried, seed 0 chooses"
    return f"{update(definition)}; :math:`{_rate(definition['learning_rate'])}`"


def update(definition: Mapping[str, Any]) -> str:
    """:func:`described` without the learning rate."""
    options = {k: v for k, v in definition.items() if k not in ("rule", "learning_rate")}
    if definition["rule"] == "spectral":
        of_map = dict(options["map"])
        name = of_map.pop("name")
        if name == "smoothed_polar":
            of_map["resolution"] = _resolution(**of_map)
        return _filled(MAPS.get(name), name, of_map)
    return _filled(RULES.get(definition["rule"]), definition["rule"], options)


def _filled(text: str | None, name: str, options: Mapping[str, Any]) -> str:
    if text is not None:
        return text.format(**options)
    return ", ".join([f"``{name}``", *(f"{key} {value}" for key, value in options.items())])


def _resolution(resolution: float | str, unit: str) -> str:
    if resolution == "theory":
        return r"\max\{(\log d)^{2α+2} d^{-α}, (\log d)^2/B\}"
    if unit == "absolute":
        return f"{resolution:g}"
    times = "" if resolution == 1 else f"{resolution:g} "
    return f"{times}d^{{-α}}"


def _rate(rate: Mapping[str, Any]) -> str:
    power, scale = rate["d_power"], f"{rate['scale']:g}"
    of_d = {0: "", 0.5: "√d", 1: "d"}.get(power, f"d^{{{power:g}}}")
    factors = [scale if scale != "1" or not of_d else "", of_d]
    if rate["schedule"] == "growing":
        factors.append("d^{α e_t}")
    return "η = " + r"\, ".join(filter(None, factors))
