"""Owns ready language models that are trained further: opened by `transformers`, with LoRA's matrices by `peft` beside
them where only those are to learn.

The state of such a model is what training changes: every weight, or LoRA's alone. Names of all weights are those that
published models have.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import peft
import torch
import transformers
from torch import nn
from transformers.core_model_loading import revert_weight_conversion

from ..data.answer_batches import AnswerBatch
from ..recipe_configs import TextFinetuneConfig

ADAPTER_FOLDER = "adapter"
ALL_LINEAR = "all-linear"

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()


class FinetunedModel(nn.Module):
    """Tokens (B, T) to logits (B, N, V), at those places where something is learnt."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self._names = self._own_names()

    @property
    def has_adapter(self) -> bool:
        return isinstance(self.network, peft.PeftModel)

    def num_adapter_parameters(self) -> int:
        return sum(one.numel() for one in self.state_dict().values()) if self.has_adapter else 0

    @property
    def base(self) -> Any:
        """The model of `transformers` itself, LoRA's layers inside it or not."""
        return self.network.get_base_model() if self.has_adapter else self.network

    def forward(self, batch: AnswerBatch) -> torch.Tensor:
        found = self.network(
            input_ids=batch.tokens,
            attention_mask=batch.mask,
            position_ids=batch.positions,
            logits_to_keep=batch.columns,
            use_cache=False,
        )
        logits: torch.Tensor = found.logits
        # A few families know no `logits_to_keep`.
        return logits if logits.shape[1] == len(batch.columns) else logits[:, batch.columns]

    def state_dict(self, *_args: Any, **_kwargs: Any) -> dict[str, torch.Tensor]:  # type: ignore[override]
        """Live tensors, each once: a tied output layer is its table of tokens."""
        state = self.network.state_dict()
        return {name: state[name] for name in self._names}

    def load_state_dict(  # type: ignore[override]
        self, state: Mapping[str, torch.Tensor], strict: bool = True, assign: bool = False
    ) -> Any:
        if set(state) == set(self._names) and not self._is_empty():
            return self.network.load_state_dict(state, strict=False, assign=assign)
        if self.has_adapter:
            raise ValueError("the adapter's weights are not those of this model and LoRA settings")
        # Weights under their published names: transformers knows how its own modules hold them.
        network = type(self.network).from_pretrained(
            None,
            config=self.network.config,
            state_dict=dict(state),
            dtype=next(self.network.parameters()).dtype,
            attn_implementation="sdpa",
        )
        self.network = network
        self._names = self._own_names()
        return None

    @torch.no_grad()
    def put_base(self, other: FinetunedModel) -> None:
        """Another copy's weights in place of the base's; the adapter stays."""
        theirs = other.base.state_dict()
        for name, tensor in self.base.state_dict().items():
            if ".lora_" not in name:
                tensor.copy_(theirs[name.replace(".base_layer", "")])

    def published_state(self, state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """A state of every weight, as published models name and divide them."""
        return dict(revert_weight_conversion(self.base, dict(state)))

    def merged_state(self) -> dict[str, torch.Tensor]:
        """Works LoRA's matrices into the base's weights, for good, and gives those: no second copy in memory."""
        self.network.merge_adapter()
        names = {name for name, _ in self.base.named_parameters()}
        buffers = set(self.base.state_dict()) - {
            name for name, _ in self.base.named_parameters(remove_duplicate=False)
        }
        state = self.base.state_dict()
        kept = {name: state[name] for name in state if name in names | buffers}
        plain = {
            name.replace(".base_layer", ""): tensor
            for name, tensor in kept.items()
            if ".lora_" not in name
        }
        return self.published_state(plain)

    def save_adapter(self, folder: Path) -> None:
        """A PEFT folder: `peft.PeftModel.from_pretrained(base, folder)` opens it."""
        self.network.save_pretrained(folder, save_embedding_layers=False)
        # Its model card is a form with nothing filled in.
        (folder / "README.md").unlink(missing_ok=True)

    def _own_names(self) -> list[str]:
        if self.has_adapter:
            return [name for name, one in self.network.named_parameters() if one.requires_grad]
        parameters = [name for name, _ in self.network.named_parameters()]
        everywhere = {name for name, _ in self.network.named_parameters(remove_duplicate=False)}
        buffers = [name for name in self.network.state_dict() if name not in everywhere]
        return parameters + buffers

    def _is_empty(self) -> bool:
        return any(parameter.is_meta for parameter in self.network.parameters())


def check_folder(folder: Path) -> None:
    if not (folder / "config.json").is_file():
        raise ValueError(
            f"{folder}: no config.json, so it is no language model's folder; expected config.json, *.safetensors and "
            "tokenizer.json"
        )
    if not any(folder.glob("*.safetensors")):
        raise ValueError(
            f"{folder}: no *.safetensors; weights in other formats can hold code and are not opened"
        )


def open_model(folder: Path, dtype: torch.dtype) -> FinetunedModel:
    """A Hugging Face folder's model with its weights."""
    check_folder(folder)
    try:
        network = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, attn_implementation="sdpa", local_files_only=True
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ValueError(f"{folder}: this model cannot be opened ({error})") from error
    network.config.use_cache = False
    return FinetunedModel(network)


def empty_model(folder: Path, dtype: torch.dtype) -> FinetunedModel:
    """The network that a folder's config.json describes, without memory for its weights."""
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    with torch.device("meta"):
        network = transformers.AutoModelForCausalLM.from_config(
            config, dtype=dtype, attn_implementation="sdpa"
        )
    return FinetunedModel(network)


def add_adapter(
    model: FinetunedModel, config: TextFinetuneConfig, base_name: str
) -> FinetunedModel:
    """The model with LoRA's matrices beside its layers; only they learn."""
    targets: str | list[str] = config.lora_targets.strip()
    if targets != ALL_LINEAR:
        targets = [name.strip() for name in config.lora_targets.split(",") if name.strip()]
    settings = peft.LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,  # type: ignore[arg-type]
        lora_dropout=config.lora_dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
    )
    # What adapter_config.json says of where to find the base.
    model.base.name_or_path = base_name
    try:
        with warnings.catch_warnings():
            # Of settings for experts that a model does not have, and of what transformers will rename.
            warnings.simplefilter("ignore")
            network = peft.get_peft_model(model.network, settings)
    except ValueError as error:
        names = sorted(
            {
                name.rpartition(".")[2]
                for name, one in model.network.named_modules()
                if isinstance(one, nn.Linear)
            }
        )
        raise ValueError(
            f"lora_targets is {config.lora_targets!r}, which fits no layer ({error}); this model has: {', '.join(names)}"
        ) from error
    return FinetunedModel(network)


def spare_memory(model: FinetunedModel) -> None:
    """Computes each layer twice instead of keeping what it gave."""
    how = {"use_reentrant": False}
    # The newer name is not yet in the version for Python 3.10.
    if hasattr(model.base, "activation_checkpointing_enable"):
        model.base.activation_checkpointing_enable(how)
    else:
        model.base.gradient_checkpointing_enable(how)


@torch.no_grad()
def write_text(
    model: FinetunedModel,
    prompt: list[int],
    length: int,
    ends: list[int],
    padding: int,
    temperature: float,
    top_k: int | None,
    seed: int,
) -> list[int]:
    """What the model puts behind the prompt, until an end token; the same each time, by the seed."""
    torch.manual_seed(seed)
    device = next(model.parameters()).device
    tokens = torch.tensor([prompt], device=device)
    how = transformers.GenerationConfig(
        max_new_tokens=length,
        do_sample=temperature > 0,
        temperature=temperature if temperature > 0 else None,
        top_k=top_k if temperature > 0 else None,
        eos_token_id=ends or None,
        pad_token_id=padding,
        use_cache=True,
    )
    written = model.network.generate(
        input_ids=tokens, attention_mask=torch.ones_like(tokens), generation_config=how
    )
    found: list[int] = written[0, len(prompt) :].tolist()
    return found
