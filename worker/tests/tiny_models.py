"""Makes tiny language models of three shapes with a tokenizer of their own, as folders that transformers opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tokenizers
import torch
import transformers
from tokenizers import decoders, pre_tokenizers, processors, trainers

SENTENCES = ["What colour is the sky?", "The sky is blue.", "user assistant\n\n", "天空是蓝色的。"]
VOCABULARY, END, PAD = 300, "<|end|>", "<|pad|>"
CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
COMMON: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 64,
    "initializer_range": 0.1,
}


def save_tokenizer(folder: Path, with_template: bool = True) -> None:
    inner = tokenizers.Tokenizer(tokenizers.models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    # Trims blanks off the offsets, as GPT-2's and Qwen's do.
    inner.post_processor = processors.ByteLevel(trim_offsets=True)
    roles = ["<|system|>", "<|user|>", "<|assistant|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END, PAD, *roles],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(SENTENCES, trainer)
    whole = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token=END, pad_token=PAD
    )
    if with_template:
        whole.chat_template = CHAT_TEMPLATE
    whole.save_pretrained(folder)


def make_config(shape: str) -> Any:
    match shape:
        case "llama":
            return transformers.LlamaConfig(**COMMON, num_key_value_heads=2)
        case "qwen2":
            return transformers.Qwen2Config(
                **COMMON, num_key_value_heads=2, tie_word_embeddings=True
            )
    return transformers.DeepseekV3Config(
        **COMMON,
        num_key_value_heads=4,
        moe_intermediate_size=16,
        n_routed_experts=4,
        n_shared_experts=1,
        num_experts_per_tok=2,
        n_group=2,
        topk_group=1,
        first_k_dense_replace=1,
        q_lora_rank=12,
        kv_lora_rank=8,
        qk_rope_head_dim=4,
        qk_nope_head_dim=8,
        v_head_dim=8,
    )


def make_model(
    folder: Path, shape: str = "llama", with_template: bool = True, seed: int = 3
) -> Path:
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(make_config(shape))
    model.save_pretrained(folder)
    save_tokenizer(folder, with_template)
    return folder
