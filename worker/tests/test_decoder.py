"""Our decoder against transformers' own modules: the same numbers from the same state dict, both ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from spotter_worker.models.decoder import (
    Decoder,
    DecoderShape,
    KeyValueCache,
    from_hugging_face,
    to_hugging_face,
)

SHAPE = DecoderShape("llama", 97, 48, 3, 64, 4, 2, 88, 16, 1e-5, 5000.0, False)
COMMON: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 64,
    "intermediate_size": 88,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 48,
    # Far from nought, so that a mistake shows.
    "initializer_range": 0.3,
}


def theirs(family: str, **more: Any) -> Any:
    transformers = pytest.importorskip("transformers")
    name = {"llama": "Llama", "qwen2": "Qwen2"}[family]
    config = getattr(transformers, f"{name}Config")(**COMMON, **more)
    torch.manual_seed(3)
    model = getattr(transformers, f"{name}ForCausalLM")(config).eval()
    for parameter_name, parameter in model.named_parameters():
        if parameter_name.endswith(("bias", "norm.weight", "layernorm.weight")):
            torch.nn.init.normal_(parameter, 1.0, 0.3)
    return model


@pytest.mark.parametrize("family", ["llama", "qwen2"])
@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("tied", [False, True])
def test_our_logits_are_those_of_transformers(family: str, kv_heads: int, tied: bool) -> None:
    other = theirs(family, num_key_value_heads=kv_heads, tie_word_embeddings=tied)
    ours = Decoder(from_hugging_face(other.config.to_dict())).eval()
    state = other.state_dict()
    if tied:
        state.pop("lm_head.weight")
    ours.load_state_dict(state)
    tokens = torch.randint(0, 97, (3, 48), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, found = other(tokens).logits, ours(tokens)
    assert expected.std() > 0.5
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max().clamp(min=1)


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_a_saved_folder_opens_in_transformers_with_the_same_logits(
    family: str, tmp_path: Path
) -> None:
    transformers = pytest.importorskip("transformers")
    shape = DecoderShape(family, 97, 48, 2, 64, 4, 2, 88, 16, 1e-5, 5000.0, family == "qwen2")
    ours = Decoder(shape).eval()
    save_file(ours.state_dict(), tmp_path / "model.safetensors", {"format": "pt"})
    (tmp_path / "config.json").write_text(json.dumps(to_hugging_face(shape, 0)))
    other = transformers.AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    assert type(other).__name__.lower() == f"{family}forcausallm"
    tokens = torch.randint(0, 97, (2, 48))
    with torch.no_grad():
        assert (ours(tokens) - other(tokens).logits).abs().max() <= 1e-5
    assert from_hugging_face(other.config.to_dict()) == shape


def test_gradients_are_those_of_transformers() -> None:
    other = theirs("qwen2", num_key_value_heads=2)
    ours = Decoder(from_hugging_face(other.config.to_dict()))
    ours.load_state_dict(other.state_dict())
    tokens = torch.randint(0, 97, (2, 32))
    ours(tokens).square().mean().backward()
    other(tokens).logits.square().mean().backward()
    expected = dict(other.named_parameters())
    for name, parameter in ours.named_parameters():
        grown = expected[name].grad
        assert (parameter.grad - grown).abs().max() <= 1e-4 * grown.abs().max(), name


def test_token_by_token_with_a_cache_gives_the_same_logits() -> None:
    model = Decoder(SHAPE).eval()
    tokens = torch.randint(0, 97, (1, 20))
    cache = KeyValueCache()
    with torch.no_grad():
        whole = model(tokens)
        parts = [model(tokens[:, :8], cache)]
        parts += [model(tokens[:, i : i + 1], cache) for i in range(8, 20)]
    assert (torch.cat(parts, 1) - whole).abs().max() <= 1e-5


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"model_type": "gpt2"}, "model_type is 'gpt2'"),
        ({"rope_parameters": {"rope_type": "llama3"}}, "rope_type is 'llama3'"),
        ({"use_sliding_window": True}, "use_sliding_window is True"),
        ({"attention_bias": True}, "attention_bias is True"),
        ({"num_key_value_heads": 3}, "multiple of kv_heads"),
    ],
)
def test_what_our_module_does_not_do_is_named(changed: dict[str, Any], words: str) -> None:
    config = {**to_hugging_face(SHAPE, 0), **changed}
    with pytest.raises(ValueError, match=words):
        from_hugging_face(config)
