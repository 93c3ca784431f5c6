"""Spectral maps and optimizers from a Python file of the user: checked without running it, loaded by a job."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from spectral_capacity.optimizers.gradient import Gradient, StepContext


@dataclass(frozen=True)
class Contract:
    """How many arguments a user's function has before its options, and what is told of one that has not."""

    positional: int
    takes: str


MAP = Contract(
    2,
    "must take (gradient, context) and its options after a *; h(σ) is "
    "gradient.with_singular_values(h(gradient.singular_values))",
)
OPTIMIZER = Contract(0, "must take its options after a *, and return an optax transformation")


def check(
    path: str | os.PathLike, function: str, options: Iterable[str], contract: Contract = MAP
) -> None:
    """Raise ValueError when ``path`` has no function of this name with these keyword-only options.

    Reads the file and does not run it: types of options are the function's own business.
    """
    try:
        tree = ast.parse(Path(path).read_bytes(), filename=str(path))
    # Of brackets inside of each other, by the thousand, Python makes errors of other kinds.
    except (MemoryError, RecursionError, SyntaxError, ValueError) as error:
        raise ValueError(f"{path} is not Python: {error}") from error
    if any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree)):
        raise ValueError(f"{path} has a relative import, but is no part of a package")
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if function not in functions:
        known = ", ".join(functions) or "none"
        raise ValueError(f"{path} has no function {function!r} at its top level; it has: {known}")
    arguments = functions[function].args
    if len(arguments.posonlyargs) + len(arguments.args) != contract.positional:
        raise ValueError(f"{path}: {function} {contract.takes}")
    taken = {argument.arg for argument in (*arguments.posonlyargs, *arguments.args)} & {*options}
    if taken:
        raise ValueError(f"{path}: {function} has {sorted(taken)[0]!r} already: it is no option")
    known = [argument.arg for argument in arguments.kwonlyargs]
    required = {
        name for name, default in zip(known, arguments.kw_defaults, strict=True) if default is None
    }
    if arguments.kwarg is None and (unknown := sorted({*options} - {*known})):
        raise ValueError(
            f"{path}: {function} has no option {unknown[0]!r}; it has: {', '.join(known) or 'none'}"
        )
    if missing := sorted(required - {*options}):
        raise ValueError(f"{path}: {function} needs the option {missing[0]!r}")


def check_signature(function: Callable[..., Any], what: str) -> None:
    """Raise ValueError when ``function(gradient, context)`` is no call of it. It is not called.

    What has no signature that Python knows, as some of C, is left to the first call.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(None, None)
    except TypeError as error:
        raise ValueError(f"{what} {MAP.takes} ({error})") from None


@cache
def load(path: str, function: str) -> Callable[..., Any]:
    """The function of a file; the file is run once, and may import its neighbours."""
    name = f"own_map_{Path(path).stem}"
    loader = SourceFileLoader(name, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    sys.modules[name] = module  # dataclasses look themselves up there
    sys.path.append(str(Path(path).resolve().parent))
    loader.exec_module(module)
    return getattr(module, function)


def call(
    function: Callable[..., Any],
    what: str,
    gradient: Gradient,
    context: StepContext,
    /,
    **options: Any,
) -> Float[np.ndarray, "d d"]:
    """The direction of a user's ``function(gradient, context, **options)``, float64.

    Raises TypeError, ValueError or FloatingPointError, which name ``what``, when it is no (d, d) array of
    finite numbers: gradients that get here are finite, so that is an error of the function, and no divergence.
    """
    result = function(gradient, context, **options)
    if np.iscomplexobj(result):
        raise TypeError(f"{what} returned complex numbers")
    try:
        direction = np.asarray(result, np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{what} returned {type(result).__name__}, not numbers") from error
    shape = gradient.matrix.shape
    if direction.shape != shape:
        raise ValueError(f"{what} returned shape {direction.shape}, must be {shape}")
    if not np.isfinite(direction).all():
        raise FloatingPointError(
            f"{what} returned NaN or inf at step {context.step}, of a gradient that is finite"
        )
    return direction
