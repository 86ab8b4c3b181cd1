"""The device that a user asks for, if PyTorch has it."""

import torch


def torch_device(name: str, purpose: str) -> torch.device:
    """The device of this name.

    Args:
        name: ``cuda``, ``cpu`` or ``mps``.
        purpose: what it is for, a verb, for the message.

    Raises:
        ValueError: if PyTorch cannot use it.
    """
    is_there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not is_there.get(name, True):
        kind = "Apple GPU" if name == "mps" else "GPU"
        raise ValueError(f"PyTorch finds no {kind}; add -device cpu to {purpose} without one.")
    return torch.device(name)
