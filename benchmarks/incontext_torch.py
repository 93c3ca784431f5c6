"""The in-context transformer as a user of PyTorch would write it, for benchmarks/incontext.py."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

EPS = 1e-6


class Layer(nn.Module):
    """Causal attention with one head, before it a norm without gain."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.query, self.key, self.value, self.output = (
            nn.Linear(d, d, bias=False) for _ in range(4)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.rms_norm(x, x.shape[-1:], eps=EPS)
        parts = (part(y)[:, None] for part in (self.query, self.key, self.value))
        return x + self.output(F.scaled_dot_product_attention(*parts, is_causal=True)[:, 0])


class Transformer(nn.Module):
    """Two layers; logits of the second outputs only."""

    def __init__(self, tokens: int, length: int, d: int) -> None:
        super().__init__()
        self.embedding, self.positions = nn.Embedding(tokens, d), nn.Embedding(length, d)
        self.layers = nn.Sequential(Layer(d), Layer(d))
        self.unembedding = nn.Linear(d, tokens, bias=False)

    def loss(self, tokens: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        x = self.layers(self.embedding(tokens) + self.positions.weight)
        rows = torch.arange(len(tokens))[:, None]
        logits = self.unembedding(F.rms_norm(x[rows, second], x.shape[-1:], eps=EPS))
        return F.cross_entropy(logits.flatten(0, 1), tokens[rows, second + 1].flatten())

    def take(self, weights) -> None:
        """Weights by the package's names."""
        with torch.no_grad():
            for name, value in weights.items():
                part, _, layer = name.partition("_")
                module = getattr(self.layers[int(layer) - 1] if layer else self, part)
                module.weight.copy_(torch.from_numpy(value))


class Muon(torch.optim.Optimizer):
    """Nesterov's momentum, five iterations of Newton-Schulz, in float32."""

    def __init__(self, parameters, lr: float, momentum: float = 0.95, weight_decay: float = 1e-4):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            lr, momentum, decay = group["lr"], group["momentum"], group["decay"]
            for w in group["params"]:
                state = self.state[w]
                if not state:
                    state["mean"] = torch.zeros_like(w)
                mean = state["mean"].lerp_(w.grad, 1 - momentum)
                X = w.grad.lerp(mean, momentum)
                X /= X.norm() + 1e-8
                for _ in range(5):
                    A = X @ X.T
                    X = 3.4445 * X + (-4.7750 * A + 2.0315 * A @ A) @ X
                w.mul_(1 - lr * decay).add_(X, alpha=-lr)


def optimizers(model: Transformer, name: str, rate: float) -> list[torch.optim.Optimizer]:
    """What moves which part of a model."""

    def adamw(parameters):
        return torch.optim.AdamW(parameters, rate, betas=(0.9, 0.95), weight_decay=1e-4, fused=True)

    if name == "sgd":
        return [torch.optim.SGD(model.parameters(), rate, momentum=0.95, weight_decay=1e-4)]
    if name == "adamw":
        return [adamw(model.parameters())]
    matrices = [*model.layers.parameters()]
    tables = [part.weight for part in (model.embedding, model.positions, model.unembedding)]
    return [Muon(matrices, rate), adamw(tables)]


def draw(triggers, outputs, noise, length: int, pairs: int, n: int):
    """n sequences, from weights of triggers, outputs and noise: tokens, and where second triggers stand."""
    V = len(triggers)
    tokens = V + torch.multinomial(noise, n * length, replacement=True).view(n, length)
    w = torch.multinomial(triggers.expand(n, V), pairs)
    o = V + torch.multinomial(outputs, n * pairs, replacement=True).view(n, pairs)
    places = torch.rand(n, length - 2 * pairs).topk(2 * pairs).indices
    starts = places + (places[:, None, :] < places[:, :, None]).sum(2)
    tokens.scatter_(1, starts, torch.cat([w, w], 1)).scatter_(1, starts + 1, torch.cat([o, o], 1))
    return tokens, torch.maximum(starts[:, :pairs], starts[:, pairs:])
