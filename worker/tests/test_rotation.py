"""Our rotation against the library's: the same numbers and gradients, and only in the network that asked."""

from __future__ import annotations

import copy

import pytest
import torch
from transformers.models.llama import modeling_llama

from spotter_worker.models.hugging_face_decoder import HuggingFaceDecoder
from spotter_worker.models.rotation import rotate

CONFIG = {
    "vocab_size": 31,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 16,
    "initializer_range": 0.3,
}


def test_rotates_and_passes_back_what_the_library_does() -> None:
    draw = torch.Generator().manual_seed(1)
    queries = torch.randn(2, 7, 4, 6, generator=draw, dtype=torch.float64).transpose(1, 2)
    keys = torch.randn(2, 7, 2, 6, generator=draw, dtype=torch.float64).transpose(1, 2)
    angles = torch.randn(2, 7, 3, generator=draw, dtype=torch.float64).repeat(1, 1, 2)
    found = [one.clone().requires_grad_() for one in (queries, keys)]
    expected = [one.clone().requires_grad_() for one in (queries, keys)]
    ours = rotate(*found, angles.cos(), angles.sin())
    theirs = modeling_llama.apply_rotary_pos_emb(*expected, angles.cos(), angles.sin())
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-14)
    weights = [torch.randn(one.shape, generator=draw, dtype=torch.float64) for one in ours]
    sum((w * one).sum() for w, one in zip(weights, ours, strict=True)).backward()  # type: ignore[union-attr]
    sum((w * one).sum() for w, one in zip(weights, theirs, strict=True)).backward()  # type: ignore[union-attr]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
def test_a_network_of_the_library_uses_it_and_no_other_does(kind: str) -> None:
    import transformers

    ours = HuggingFaceDecoder({"model_type": kind, **CONFIG})
    config = transformers.AutoConfig.for_model(kind, **CONFIG)
    theirs = transformers.AutoModelForCausalLM.from_config(config)
    theirs.load_state_dict(ours.state_dict())
    attention = ours.model.layers[0].self_attn
    assert attention.forward.__func__.__globals__["apply_rotary_pos_emb"] is rotate
    other = theirs.model.layers[0].self_attn
    assert other.forward.__func__.__globals__["apply_rotary_pos_emb"] is not rotate
    # Averaged weights keep a copy of the network: it must be of its own weights.
    copied = copy.deepcopy(ours)
    assert copied.model.layers[0].self_attn.forward.__self__ is copied.model.layers[0].self_attn
    tokens = torch.randint(0, 31, (2, 9))
    torch.testing.assert_close(ours(tokens), theirs(tokens).logits, rtol=1e-5, atol=1e-5)
