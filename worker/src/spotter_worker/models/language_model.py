"""Owns which network a `text-lm` config asks for, and its `config.json` for Hugging Face's libraries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..data.tokenizer import END_ID
from ..recipe_configs import TextLmConfig
from .decoder import INITIAL_STD, Decoder, DecoderShape, to_hugging_face
from .hugging_face_decoder import HuggingFaceDecoder

NORM_EPSILON = 1e-5
LanguageModel = Decoder | HuggingFaceDecoder


def build_language_model(
    config: TextLmConfig, vocabulary_size: int
) -> tuple[LanguageModel, dict[str, Any], dict[str, str]]:
    """The network, its config.json, and the widths that were not given with how they were found."""
    derived: dict[str, str] = {}
    if config.width % config.heads:
        raise ValueError(f"width is {config.width}; it must be a multiple of heads, {config.heads}")
    ffn_width = config.ffn_width or max(16, config.width * 8 // 3 // 16 * 16)
    if config.ffn_width is None:
        derived["ffn_width"] = f"{ffn_width}: 8/3 of the width, in steps of 16"
    if config.shape == "deepseek-v3":
        published = _deepseek(config, vocabulary_size, ffn_width, derived)
        return HuggingFaceDecoder(published), published, derived
    shape = DecoderShape(
        family=config.shape,
        vocabulary_size=vocabulary_size,
        context=config.context,
        layers=config.layers,
        width=config.width,
        heads=config.heads,
        kv_heads=config.kv_heads or config.heads,
        ffn_width=ffn_width,
        head_width=config.width // config.heads,
        norm_epsilon=NORM_EPSILON,
        rope_theta=config.rope_theta,
        tie_embeddings=config.tie_embeddings,
    )
    published = to_hugging_face(shape, END_ID)
    if config.module == "own":
        return Decoder(shape, config.dropout), published, derived
    _refuse_dropout(config)
    return HuggingFaceDecoder(published), published, derived


def describe_model(model: LanguageModel) -> dict[str, Any]:
    """What the card says, besides config.json."""
    if isinstance(model, Decoder):
        return {"shape": asdict(model.shape)}
    return {"module": "transformers"}


def model_from_card(card: Mapping[str, Any], published: Mapping[str, Any]) -> LanguageModel:
    """The empty network; `published` is the config.json beside the card."""
    if "shape" in card:
        return Decoder(DecoderShape(**card["shape"]))
    return HuggingFaceDecoder(published)


def _deepseek(
    config: TextLmConfig, vocabulary_size: int, ffn_width: int, derived: dict[str, str]
) -> dict[str, Any]:
    _refuse_dropout(config)
    if config.kv_heads is not None:
        raise ValueError(
            "kv_heads has no meaning for deepseek-v3, whose heads share one latent; leave it empty"
        )
    if config.experts_per_token > config.experts:
        raise ValueError(
            f"experts_per_token is {config.experts_per_token}; there are {config.experts} experts"
        )
    if config.dense_layers > config.layers:
        raise ValueError(f"dense_layers is {config.dense_layers}; there are {config.layers} layers")
    head_width = config.width // config.heads
    if head_width % 4:
        raise ValueError(
            f"width / heads is {head_width}; for deepseek-v3 it must be a multiple of 4"
        )
    latent_width, expert_width = config.latent_width, config.expert_width
    if latent_width is None:
        latent_width = config.width // 2
        derived["latent_width"] = f"{latent_width}: half the width"
    if expert_width is None:
        parts = config.experts_per_token + 1
        expert_width = max(8, ffn_width // parts // 8 * 8)
        derived["expert_width"] = (
            f"{expert_width}: ffn_width / {parts}, for a token meets {config.experts_per_token} experts and the shared one"
        )
    return {
        "architectures": ["DeepseekV3ForCausalLM"],
        "model_type": "deepseek_v3",
        "vocab_size": vocabulary_size,
        "max_position_embeddings": config.context,
        "hidden_size": config.width,
        "intermediate_size": ffn_width,
        "moe_intermediate_size": expert_width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.heads,
        "n_shared_experts": 1,
        "n_routed_experts": config.experts,
        "num_experts_per_tok": config.experts_per_token,
        "first_k_dense_replace": config.dense_layers,
        "n_group": 1,
        "topk_group": 1,
        "norm_topk_prob": True,
        "routed_scaling_factor": 1.0,
        # Queries of a small model need no latent of their own, as in DeepSeek-V2-Lite.
        "q_lora_rank": None,
        "kv_lora_rank": latent_width,
        "qk_nope_head_dim": head_width,
        "qk_rope_head_dim": head_width // 2,
        "v_head_dim": head_width,
        "num_nextn_predict_layers": 0,
        "hidden_act": "silu",
        "rms_norm_eps": NORM_EPSILON,
        "rope_theta": config.rope_theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "tie_word_embeddings": config.tie_embeddings,
        "initializer_range": INITIAL_STD,
        "bos_token_id": END_ID,
        "eos_token_id": END_ID,
        "dtype": "float32",
    }


def _refuse_dropout(config: TextLmConfig) -> None:
    if config.dropout > 0:
        raise ValueError(
            f"dropout is {config.dropout}; transformers' modules have none: set it to 0"
        )
