"""Owns models whose tensors lie in pieces, one a process (`strategy: fsdp2`): cut apart, put together, filled again.

Elsewhere a state is always whole, so that checkpoints and weights do not show how many processes wrote them. Putting
together is a collective: every process calls it, in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor


def shard(model: nn.Module, num_processes: int, device_type: str) -> FSDPModule:
    """Cuts the model itself; one repeated block is put together at a time, the rest with the whole."""
    mesh = init_device_mesh(device_type, (num_processes,))
    for parameter in model.parameters():
        # Kernels may lie in memory with the channels last; pieces are cut from the usual order only.
        parameter.data = parameter.data.contiguous()
    for module in model.modules():
        if isinstance(module, nn.ModuleList):
            for block in module:
                fully_shard(block, mesh=mesh)
    # In pieces again after every pass: an evaluation of averaged weights must leave nothing for the next step to find.
    return fully_shard(model, mesh=mesh, reshard_after_forward=True)


def whole_state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: _whole(tensor) for name, tensor in model.state_dict().items()}


def whole(value: Any) -> Any:
    """The same with every tensor in it whole: an optimiser's state, for instance."""
    if isinstance(value, dict):
        return {name: whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [whole(one) for one in value]
    return _whole(value) if isinstance(value, torch.Tensor) else value


@torch.no_grad()
def fill(state: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> None:
    """Puts whole tensors into those of a present state, each process its piece."""
    missing = state.keys() ^ found.keys()
    assert not missing, f"the states differ in {sorted(missing)[:5]}"
    for name, tensor in state.items():
        tensor.copy_(like(found[name], tensor))


def fill_optimizer(optimizer: torch.optim.Optimizer, found: Mapping[str, Any]) -> None:
    """As its `load_state_dict`; the parameters' numbers are their order, in pieces or whole."""
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    pieces = {
        number: {
            name: like(value, parameters[number])
            if isinstance(value, torch.Tensor) and value.shape == parameters[number].shape
            else value
            for name, value in values.items()
        }
        for number, values in found["state"].items()
    }
    optimizer.load_state_dict({**found, "state": pieces})


def like(tensor: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """In the same pieces as `present`; as it is where that is whole."""
    if not isinstance(present, DTensor):
        return tensor
    device = present.device
    # Everyone has read the same file: nothing needs to be sent.
    return distribute_tensor(
        tensor.to(device), present.device_mesh, present.placements, src_data_rank=None
    )


def _whole(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
