"""Owns elastic weight consolidation (Kirkpatrick et al. 2017): each weight is held near its old value by how much the
answers on the old data depend on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from ..evaluating import evaluating

if TYPE_CHECKING:
    from ..classifier import ClassifierTask
    from ..task import EvalBatches

# More examples change the mean's third digit only, and each costs a backward pass of its own.
MAX_EXAMPLES = 500

Tensors = dict[str, torch.Tensor]


class ElasticWeights:
    def __init__(self, strength: float) -> None:
        self._strength = strength
        # By parameter: its old value, and the diagonal of the Fisher information there.
        self._anchor: Tensors = {}
        self._fisher: Tensors = {}

    def measure(self, task: ClassifierTask, examples: EvalBatches, known: torch.Tensor) -> None:
        """At the model's present weights; `examples` come one a batch, `known` are the classes the old model had."""
        parameters = dict(task.model.named_parameters())
        self._anchor = {name: one.detach().clone() for name, one in parameters.items()}
        self._fisher = {name: torch.zeros_like(one) for name, one in parameters.items()}
        # The answers are drawn as the model would give them: that, not the labels, makes it the Fisher information.
        generator = torch.Generator().manual_seed(task.config.seed)
        # cuDNN has no backward pass for recurrent layers in evaluation mode.
        use_cudnn = torch.backends.cudnn.flags(enabled=task.device.type != "cuda")
        with evaluating(task.model), use_cudnn:
            for batch in examples:
                logits = functional.log_softmax(task.logits(task.model, batch)[0, known], 0)
                answer = torch.multinomial(logits.detach().exp().cpu(), 1, generator=generator)
                gradients = torch.autograd.grad(
                    logits[int(answer)], list(parameters.values()), allow_unused=True
                )
                for name, gradient in zip(parameters, gradients, strict=True):
                    if gradient is not None:
                        self._fisher[name] += gradient.square() / len(examples)

    def penalty(self, model: nn.Module) -> torch.Tensor:
        if not self._fisher:
            # A trial that never began a run has nothing to hold on to.
            return torch.zeros((), device=next(model.parameters()).device)
        distances = [
            (self._fisher[name] * (one - self._anchor[name]).square()).sum()
            for name, one in model.named_parameters()
        ]
        return torch.stack(distances).sum() * (self._strength / 2)

    def state(self) -> Tensors:
        return {
            **{f"anchor.{name}": one for name, one in self._anchor.items()},
            **{f"fisher.{name}": one for name, one in self._fisher.items()},
        }

    def restore(self, state: Tensors, device: torch.device) -> None:
        for prefix, own in (("anchor.", self._anchor), ("fisher.", self._fisher)):
            own.clear()
            own |= {
                name.removeprefix(prefix): one.to(device)
                for name, one in state.items()
                if name.startswith(prefix)
            }
