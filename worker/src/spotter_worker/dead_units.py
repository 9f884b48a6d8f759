"""Owns finding units that answer nothing to a whole batch, after every activation: modules and plain functions alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.overrides import TorchFunctionMode

DEAD_BELOW = 1e-6
MAX_LAYERS = 64
_ACTIVATIONS: dict[Callable[..., Any], str] = {
    functional.relu: "relu",
    functional.relu_: "relu",
    torch.relu: "relu",
    torch.Tensor.relu: "relu",
    functional.relu6: "relu6",
    functional.leaky_relu: "leaky_relu",
    functional.gelu: "gelu",
    functional.silu: "silu",
    functional.elu: "elu",
    functional.hardswish: "hardswish",
    functional.mish: "mish",
}
_CONVOLUTIONS = (functional.conv1d, functional.conv2d, functional.conv3d)


class UnitWatch(TorchFunctionMode):
    """Sees every call of a PyTorch function inside it; `shares` has the dead units by layer, in the order of the calls."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.shares: dict[str, torch.Tensor] = {}
        self._names = {module: name for name, module in model.named_modules()}
        self._inside: list[nn.Module] = []
        self._calls: Counter[str] = Counter()
        self._after_convolution = False

    def __torch_function__(
        self, function: Any, types: Any, arguments: Any = (), named: Any = None
    ) -> Any:
        # In here the mode is off: what a function calls in turn, and the look itself, is not seen.
        output = function(*arguments, **(named or {}))
        if function in _CONVOLUTIONS:
            self._after_convolution = True
        elif function is functional.linear:
            self._after_convolution = False
        elif function in _ACTIVATIONS and len(self.shares) < MAX_LAYERS:
            self._look(_ACTIVATIONS[function], output)
        return output

    def _look(self, kind: str, output: torch.Tensor) -> None:
        # Channels come second after a convolution, features last everywhere else.
        unit = 1 if self._after_convolution else output.dim() - 1
        rest = [dim for dim in range(output.dim()) if dim != unit]
        if rest:
            dead = output.detach().abs().amax(rest) < DEAD_BELOW
            self.shares[self._name(kind)] = dead.float().mean()

    def _name(self, kind: str) -> str:
        """Of the activation module, or of the module that calls the function and the function; numbered where repeated."""
        module = self._inside[-1] if self._inside else None
        name = self._names.get(module, "") if module is not None else ""
        if module is None or type(module).__module__ != "torch.nn.modules.activation":
            name = f"{name}.{kind}".removeprefix(".")
        self._calls[name] += 1
        return name if self._calls[name] == 1 else f"{name}_{self._calls[name]}"

    @contextmanager
    def watching(self) -> Iterator[None]:
        hooks = [
            register_module_forward_pre_hook(lambda module, _inputs: self._inside.append(module)),
            register_module_forward_hook(self._leave, always_call=True),
        ]
        try:
            with self:
                yield
        finally:
            for hook in hooks:
                hook.remove()

    def _leave(self, _module: nn.Module, _inputs: Any, _output: Any) -> None:
        self._inside.pop()
