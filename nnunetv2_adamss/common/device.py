"""The device that a user asks for, if PyTorch has it."""

import torch


def torch_device(name: str, purpose: str) -> torch.device:
    """The device of this name.

    Args:
        name: ``cuda``, ``cpu`` or ``mps``; ``cuda:1`` for the second GPU.
        purpose: what it is for, a verb, for the message.

    Raises:
        ValueError: if there is no device of this name, or PyTorch cannot use it.
    """
    is_there = {"cuda": torch.cuda.is_available(), "cpu": True, "mps": torch.backends.mps.is_available()}
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        device = None
    if device is None or device.type not in is_there:
        raise ValueError(f"The device {str(name)!r} is not supported, only {', '.join(is_there)}.")
    if not is_there[device.type]:
        kind = "Apple GPU" if device.type == "mps" else "GPU"
        raise ValueError(
            f"PyTorch finds no {kind}; add -device cpu to {purpose} without one (in Python, device='cpu')."
        )
    if device.type == "cuda" and device.index is not None and device.index >= torch.cuda.device_count():
        raise ValueError(
            f"There is no device '{name}', since PyTorch finds {torch.cuda.device_count()} GPU(s)."
        )
    return device
