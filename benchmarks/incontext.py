"""Training of the in-context transformers beside the same model in plain PyTorch, in tokens a second.

    python benchmarks/incontext.py [--d 16 32 48] [--threads 1 2] [--seconds 3] [--without-torch]

The model of the default configuration: vocabulary 32, sequences of 32 tokens with 4 pairs, batches of 64, no
feed-forward; Muon, AdamW and SGD with the package's options. Both sides draw their sequences as they train,
from the same laws; `given` is PyTorch on sequences that were drawn before the clock started, while ours draws.
PyTorch is eager: modules, its own fused attention, its own SGD and AdamW; its Muon is a loop over matrices, in
float32 as ours. That both are one model is checked first: on one batch, from the same weights, the same loss.
Compilation is not timed, nor is what is measured of a model on the way.

The floor is what our plan has in products of matrices, forward and backward, at the rate of a large float32
product on as many threads. In it products of two weights come first (model.py), and layer 2 asks at the K
labelled positions only; not in it are the draws, the softmax, the norms and the optimizers' elementwise part.

Thread counts are processes, one after another. PyTorch is not in the lock: pip install 'torch==2.13.0'.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

OPTIMIZERS = {
    "muon": ({"rule": "muon"}, 0.01),
    "adamw": ({"rule": "adamw"}, 0.003),
    "sgd": ({"rule": "sgd"}, 0.3),
}
"""Rules with their defaults, and learning rates at which they learn."""
VOCABULARY, LENGTH, PAIRS, BATCH, ALPHA = 32, 32, 4, 64, 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--d", type=int, nargs="+", default=[16, 32, 48])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each training that is timed")
    parser.add_argument("--without-torch", action="store_true")
    parser.add_argument("--in-this-process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.in_this_process:
        table(options)
        return
    if not options.without_torch and importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: nothing to compare with.")
        options.without_torch = True
    for threads in options.threads:
        arguments = ["--d", *map(str, options.d), "--threads", str(threads)]
        arguments += ["--seconds", str(options.seconds), "--in-this-process"]
        arguments += ["--without-torch"] * options.without_torch
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        subprocess.run([sys.executable, __file__, *arguments], env=environment, check=True)


def table(options) -> None:
    """Rows for all widths and optimizers, on the threads of this process."""
    from one_step import gemm_rate

    from spectral_capacity.backend import jnp

    rate = gemm_rate(jnp.float32)
    (threads,) = options.threads
    print(f"\nThreads: {threads}. float32 products: {rate / 1e9:.0f} GFLOP/s. Tokens a second:")
    columns = [
        "d",
        "optimizer",
        "ours",
        "floor",
        "ours/floor",
        "PyTorch",
        "ratio",
        "given",
        "ratio",
    ]
    print(" ".join(f"{column:>10}" for column in columns))
    tokens = BATCH * LENGTH
    for d in options.d:
        for name in OPTIMIZERS:
            ours, start = our_training(d, name)
            speed = tokens / seconds(ours, options.seconds)
            floor = tokens * rate / operations(d, name)
            row = [f"{d}", name, f"{speed:.0f}", f"{floor:.0f}", f"{speed / floor:.0%}"]
            if not options.without_torch:
                for drawn in (True, False):
                    theirs = tokens / seconds(
                        their_training(d, name, start, drawn), options.seconds
                    )
                    row += [f"{theirs:.0f}", f"{speed / theirs:.2f}"]
            print(" ".join(f"{entry:>10}" for entry in row), flush=True)


def seconds(train: Callable[[int], None], at_least: float) -> float:
    """Of one iteration: the median of five parts of a training, after a first that is not timed."""
    train(3)
    n, spent = 1, 0.0
    while spent < at_least / 10:
        start = time.perf_counter()
        train(n)
        spent, n = time.perf_counter() - start, 2 * n
    times = []
    for _ in range(5):
        start = time.perf_counter()
        train(n)
        times.append((time.perf_counter() - start) / n)
    return float(np.median(times))


def operations(d: int, name: str) -> int:
    """Of the matrix products of one iteration of ours: a gradient is twice the forward pass."""
    asked = LENGTH + PAIRS  # positions at which the two layers ask, of a sequence
    forward = BATCH * asked * (2 * d**2 + 2 * LENGTH * d) + BATCH * PAIRS * 2 * VOCABULARY * d
    newton_schulz = 8 * 5 * 3 * d**3 if name == "muon" else 0
    return 2 * (3 * (forward + 4 * d**3) + newton_schulz)


def our_training(d: int, name: str):
    """What makes so many iterations; weights and sequences for a check: tokens, places, loss."""
    from spectral_capacity.backend import jax, jnp
    from spectral_capacity.incontext.model import Architecture, Transformer
    from spectral_capacity.incontext.task import Laws, Task, draw
    from spectral_capacity.incontext.training import Run, Setup, advance, begin, loss
    from spectral_capacity.sampling.frequencies import power_law

    rule, rate = OPTIMIZERS[name]
    task, architecture = Task(VOCABULARY, LENGTH, PAIRS), Architecture(VOCABULARY, LENGTH, d)
    setup = Setup(task, architecture, tuple(rule.items()), BATCH)
    laws = Laws(*(jnp.asarray(power_law(VOCABULARY, a), jnp.float32) for a in (ALPHA, ALPHA, 0.0)))
    one = jax.tree.map(lambda x: x[None], Run(jnp.float32(rate), jax.random.key(1), laws))
    begun = begin(setup, jax.random.key(2)[None])
    state = [begun]

    def train(iterations: int) -> None:
        state[0] = advance(setup, one, state[0], jnp.asarray(iterations, jnp.int32))
        jax.block_until_ready(state[0])

    weights = jax.tree.map(lambda x: np.array(x[0]), begun.parameters)
    batch = draw(jax.random.key(3), task, laws, BATCH)
    value = float(
        loss(Transformer({k: jnp.asarray(v) for k, v in weights.items()}, architecture), batch)
    )
    return train, (weights, np.array(batch.tokens), np.array(batch.second), value)


def their_training(d: int, name: str, start, drawn: bool) -> Callable[[int], None]:
    """The same, as a user of PyTorch would write it."""
    import torch
    from incontext_torch import Transformer, draw, optimizers

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(0)
    weights, tokens, second, ours = start
    model = Transformer(2 * VOCABULARY, LENGTH, d)
    model.take(weights)
    batch = torch.from_numpy(tokens).long(), torch.from_numpy(second).long()
    theirs = model.loss(*batch).item()
    assert abs(theirs - ours) < 1e-4 * ours, f"not the same model: loss {theirs}, ours {ours}"
    rules = optimizers(model, name, OPTIMIZERS[name][1])
    p = [torch.arange(1, VOCABULARY + 1).float() ** -a for a in (ALPHA, ALPHA, 0.0)]

    def sequences():
        return draw(*p, LENGTH, PAIRS, BATCH)

    given = [sequences() for _ in range(64)]

    def train(iterations: int) -> None:
        for i in range(iterations):
            value = model.loss(*(sequences() if drawn else given[i % len(given)]))
            for rule in rules:
                rule.zero_grad()
            value.backward()
            for rule in rules:
                rule.step()

    return train


if __name__ == "__main__":
    main()
