"""Owns how a decoder writes: one token after the other, drawn from what it finds likely."""

from __future__ import annotations

import torch

from .language_model import LanguageModel


def continue_tokens(
    model: LanguageModel,
    start: list[int],
    length: int,
    temperature: float,
    top_k: int | None,
    end_token: int,
    generator: torch.Generator,
) -> list[int]:
    """At most `length` tokens after the start; the end token ends it."""
    tokens = list(start)
    device = next(model.parameters()).device
    context, cache = model.context, model.new_cache()
    given = tokens[-context:]
    for _ in range(length):
        if cache.length + len(given) > context:
            # The window moves by half, so that the cache serves again for a while.
            cache, given = model.new_cache(), tokens[-max(1, context // 2) :]
        logits = model(torch.tensor([given], device=device), cache)[0, -1].float().cpu()  # type: ignore[arg-type]
        following = _choose(logits, temperature, top_k, generator)
        if following == end_token:
            break
        tokens.append(following)
        given = [following]
    return tokens[len(start) :]


def _choose(
    logits: torch.Tensor, temperature: float, top_k: int | None, generator: torch.Generator
) -> int:
    if temperature == 0:
        return int(logits.argmax())
    if top_k is not None and top_k < len(logits):
        least = logits.topk(top_k).values[-1]
        logits = logits.masked_fill(logits < least, -torch.inf)
    shares = (logits / temperature).softmax(-1)
    return int(torch.multinomial(shares, 1, generator=generator))
