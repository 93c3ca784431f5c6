"""A slow transformer in NumPy, and models whose weights are built by hand."""

import numpy as np

from spectral_capacity.incontext.model import Architecture


def unit(x):
    return x / np.sqrt(np.mean(x**2) + 1e-6)


def layer(W, number, x, norm):
    """States of one sequence (T, d) after a layer, at every position, and its attention (T, T)."""
    query, key, value, output = (
        W[f"{name}_{number}"] for name in ("query", "key", "value", "output")
    )
    T, d = x.shape
    attention, out = np.zeros((T, T)), np.zeros((T, d))
    for q in range(T):
        scores = [(query @ norm(x[q])) @ (key @ norm(x[k])) / np.sqrt(d) for k in range(q + 1)]
        weights = np.exp(np.array(scores) - max(scores))
        attention[q, : q + 1] = weights / weights.sum()
        out[q] = x[q]
        for k in range(q + 1):
            out[q] += attention[q, k] * (output @ (value @ norm(x[k])))
        if f"widen_{number}" in W:
            hidden = np.maximum(W[f"widen_{number}"] @ norm(out[q]), 0)
            out[q] = out[q] + W[f"narrow_{number}"] @ hidden
    return out, attention


def forward(W, tokens, normalise=True):
    """Logits (b, T, tokens) and both attentions (b, T, T) at every position; float64."""
    norm = unit if normalise else lambda x: x
    U = W.get("unembedding", W["embedding"])
    found = []
    for row in tokens:
        x = np.stack([W["embedding"][w] + W["positions"][p] for p, w in enumerate(row)])
        x, first = layer(W, 1, x, norm)
        x, second = layer(W, 2, x, norm)
        found.append((np.stack([U @ norm(state) for state in x]), first, second))
    return tuple(map(np.stack, zip(*found, strict=True)))


def loss(W, sequences, normalise=True):
    """Mean cross-entropy of the second outputs, of logits at every position."""
    tokens, second = (np.asarray(part) for part in (sequences.tokens, sequences.second))
    logits, *_ = forward(W, tokens, normalise)
    losses = []
    for b, row in enumerate(second):
        for q in row:
            s = logits[b, q]
            losses.append(np.log(np.exp(s - s.max()).sum()) + s.max() - s[tokens[b, q + 1]])
    return np.mean(losses)


def by_hand(vocabulary, length, sharpness=50.0):
    """An architecture without norm and weights that copy: layer 1 looks one position back by positions alone
    and writes down the token that it finds there; layer 2 looks for what stands behind its own token.

    The width has four blocks, with a direction for each token, position, token before, and token to say.
    Attention to anything else is exp(-sharpness) times smaller.
    """
    tokens, T = 2 * vocabulary, length
    d = 3 * tokens + T
    token, place, before, said = np.split(np.eye(d), [tokens, tokens + T, 2 * tokens + T])
    scale = sharpness * np.sqrt(d)
    W = {
        "embedding": token,
        "positions": place,
        "unembedding": said,
        "query_1": scale * place[:-1].T @ place[1:],
        "key_1": place.T @ place,
        "value_1": token.T @ token,
        "output_1": before.T @ token,
        "query_2": scale * token.T @ token,
        # The first position can look at itself only, and must not be taken for what follows its token.
        "key_2": token.T @ before - np.outer(token.sum(axis=0), place[0]),
        "value_2": token.T @ token,
        "output_2": said.T @ token,
    }
    return Architecture(vocabulary, length, d, normalise=False), W
