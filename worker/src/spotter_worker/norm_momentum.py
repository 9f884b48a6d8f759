"""Owns how quickly batch normalisation's running averages follow the weights: in a short training, faster than usual.

Training normalises by each batch, looking by the averages. With PyTorch's share of 0.1 a batch these are those of ten
steps ago, and after a few steps still mostly what they began with: a network that has learnt is then judged by numbers
that were never its own. Nothing of the training itself depends on them.
"""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

USUAL = 0.1
# Of the last two batches an average still is one.
HIGHEST = 0.5
# So many steps' worth of memory fit into a run before its end.
SPANS_A_RUN = 10


def follow_the_weights(model: nn.Module, total_steps: int) -> str | None:
    """Sets the share of each batch for a run of so many steps; why, or None where it is the usual one."""
    share = min(HIGHEST, max(USUAL, SPANS_A_RUN / max(1, total_steps)))
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    if not norms or share == USUAL:
        return None
    for norm in norms:
        norm.momentum = share
    return (
        f"{share:.2g}: with {total_steps} steps the averages that validation normalises by must follow the weights"
        f" faster than the usual {USUAL}"
    )
