"""Owns decoder-only networks that are `transformers`' own modules: DeepSeek-V3's shape, and Llama's and Qwen2's on
request. Weights have Hugging Face's names, as in our own decoder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from ..requirement_sets import require_set
from .rotation import rotate_in_one

# How fast an expert's bias follows its load, per batch (DeepSeek-V3 report, section 4.2).
BALANCE_RATE = 0.001


class HuggingFaceDecoder(nn.Module):
    """Tokens (B, T) to logits (B, T, V); `config` is the content of a config.json."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        require_set("language")
        import transformers

        self.context = int(config["max_position_embeddings"])
        whole = transformers.AutoModelForCausalLM.from_config(
            transformers.AutoConfig.for_model(**config),
            attn_implementation="sdpa",
            dtype=torch.float32,
        )
        self.model = whole.model
        rotate_in_one(self.model, str(config["model_type"]))
        # A tied head is the table of tokens, and no tensor of its own.
        self._tied = bool(config.get("tie_word_embeddings"))
        if not self._tied:
            self.lm_head = whole.lm_head
        for name, module in self.model.named_modules():
            if hasattr(module, "e_score_correction_bias"):
                module.register_forward_hook(_balance)
            if name.endswith(".experts"):
                module.register_state_dict_post_hook(_split_experts)
                module.register_load_state_dict_pre_hook(_join_experts)

    def forward(self, tokens: torch.Tensor, cache: HuggingFaceCache | None = None) -> torch.Tensor:
        found = self.model(
            input_ids=tokens,
            past_key_values=cache.inner if cache is not None else None,
            use_cache=cache is not None,
        )
        weight = self.model.embed_tokens.weight if self._tied else self.lm_head.weight
        return F.linear(found.last_hidden_state, weight)

    def new_cache(self) -> HuggingFaceCache:
        return HuggingFaceCache(self.model.config)


class HuggingFaceCache:
    """What the tokens so far have left; for writing text token by token."""

    def __init__(self, config: Any) -> None:
        import transformers

        self.inner = transformers.DynamicCache(config=config)

    @property
    def length(self) -> int:
        return int(self.inner.get_seq_length())


def _balance(
    router: nn.Module, _inputs: object, output: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
) -> None:
    """Experts with little to do become likelier (as in the DeepSeek-V3 report, without a loss of their own)."""
    if not router.training:
        return
    bias = router.e_score_correction_bias
    assert isinstance(bias, torch.Tensor)
    with torch.no_grad():
        loads = torch.bincount(output[2].flatten(), minlength=len(bias)).to(bias.dtype)
        bias += BALANCE_RATE * torch.sign(loads.mean() - loads)


# -- experts by number, as published models have them; transformers holds them in one tensor ----------


def _split_experts(
    _module: nn.Module, state: dict[str, torch.Tensor], prefix: str, _metadata: object
) -> None:
    """Views, not copies: whoever writes into the state writes into the model."""
    together, down = state.pop(f"{prefix}gate_up_proj"), state.pop(f"{prefix}down_proj")
    width = together.shape[1] // 2
    for number in range(len(together)):
        state[f"{prefix}{number}.gate_proj.weight"] = together[number, :width]
        state[f"{prefix}{number}.up_proj.weight"] = together[number, width:]
        state[f"{prefix}{number}.down_proj.weight"] = down[number]


def _join_experts(
    module: nn.Module, state: dict[str, torch.Tensor], prefix: str, *_rest: object
) -> None:
    numbers = range(len(module.down_proj))  # type: ignore[arg-type]
    if f"{prefix}0.gate_proj.weight" not in state:
        return
    gates, ups, downs = (
        [state.pop(f"{prefix}{number}.{name}_proj.weight") for number in numbers]
        for name in ("gate", "up", "down")
    )
    state[f"{prefix}gate_up_proj"] = torch.cat([torch.stack(gates), torch.stack(ups)], 1)
    state[f"{prefix}down_proj"] = torch.stack(downs)
