"""What optimizers do, from their definitions in the configuration behind a grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spectral_capacity.optimizers.rules import OF_NO_RULE
from spectral_capacity.optimizers.rules import RULES as WITHOUT_A_STATE

RULES = {
    "gradient": "gradient descent (SGD on a batch): the gradient itself",
    "newton": "Newton step, with ridge {ridge:g}",
    "sign": "SignSGD: the sign of every entry of the gradient",
    "sgd": "SGD with momentum {momentum:g}",
    "adamw": "AdamW, its means decaying with {b1:g} and {b2:g}",
    "lion": "Lion, mixing with {b1:g}, its momentum decaying with {b2:g}",
    "muon": "Muon with momentum {momentum:g} and {iterations} Newton–Schulz iterations; of transformers on the "
    "matrices of the layers, AdamW on embedding, positions and unembedding",
    "shampoo": "Shampoo, its preconditioners decaying with {b2:g}, on a mean of gradients with {momentum:g}",
    "soap": "SOAP, its means decaying with {b1:g}, {b2:g} and {b_basis:g}",
    "own": "an own optimizer, ``{function}`` of ``{file}``",
}
MAPS = {
    "identity": "gradient descent, as the map of singular values :math:`σ ↦ σ`",
    "polar": "Muon: the exact polar map, every singular value of the gradient becomes 1",
    "power": "singular values :math:`σ ↦ σ^{{{exponent:g}}}`",
    "smoothed_polar": "smoothed polar map, :math:`σ ↦ σ / \\sqrt{{σ^2 + λ^2}}`, :math:`λ = {resolution}`",
    "newton_schulz": "{iterations} Newton–Schulz iterations in {precision} in place of the exact polar map, "
    "with the coefficients “{coefficients}”",
    "block_polar": "the exact polar map on each of {blocks} blocks of rows",
    "own": "an own map, ``{function}`` of ``{file}``",
}
"""By name, with their options; RST, as all that is said here."""


FALLING = {"linear": ", falling linearly to zero", "cosine": ", falling to zero as a cosine"}
"""Schedules that are said after the rate."""


def described(definition: Mapping[str, Any], *, of_a_transformer: bool = False) -> str:
    """The update of an optimizer and its learning rate, in RST.

    definition: as the provenance of a grid has it: ``rule``, its options, ``map`` of a spectral one, and
    ``learning_rate``. A rule or map that is not known here has its name and its options. Learning rates
    ``of_a_transformer`` are its experiment's.
    """
    if of_a_transformer:
        return f"{update(definition)}; of the learning rates that are tried, seed 0 chooses"
    rate = definition["learning_rate"]
    said = f"{update(definition)}; :math:`{_rate(rate)}`{_swept(rate.get('sweep'))}"
    schedule = FALLING.get(rate["schedule"], "")
    warmup = f", after {rate['warmup']} steps of warm-up" if rate.get("warmup") else ""
    return said + schedule + warmup


def update(definition: Mapping[str, Any]) -> str:
    """:func:`described` without the learning rate."""
    options = {k: v for k, v in definition.items() if k not in ("rule", *OF_NO_RULE)}
    if definition["rule"] == "spectral":
        of_map = dict(options["map"])
        name = of_map.pop("name")
        if name == "smoothed_polar":
            of_map["resolution"] = _resolution(**of_map)
        return _filled(MAPS.get(name), name, of_map) + _smoothing(definition)
    if definition["rule"] in WITHOUT_A_STATE:
        return _filled(RULES.get(definition["rule"]), definition["rule"], options) + _smoothing(
            definition
        )
    options = {k: v for k, v in definition.items() if k not in ("rule", "learning_rate")}
    return _filled(RULES.get(definition["rule"]), definition["rule"], options)


def _smoothing(definition: Mapping[str, Any]) -> str:
    """Momentum and weight decay of a rule that has no state of its own."""
    parts = []
    if momentum := definition.get("momentum"):
        parts.append(
            f"with momentum {momentum:g}" + ", Nesterov's" * definition.get("nesterov", False)
        )
    if decay := definition.get("weight_decay"):
        parts.append(f"weight decay {decay:g}")
    return "".join(f", {part}" for part in parts)


def _swept(sweep: Mapping[str, Any] | None) -> str:
    """Which rates are tried beside it, and who chooses."""
    if not sweep:
        return ""
    factors, seeds = sorted(sweep["factors"]), sweep["tuning_seeds"]
    who = "seed 0 chooses" if seeds == 1 else f"seeds 0 to {seeds - 1} choose"
    by = sweep["by"].replace("_", " ")
    return f" times {factors[0]:g} to {factors[-1]:g}, of which {who} by {by}"


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
