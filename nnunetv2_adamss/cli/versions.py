"""What ``--version`` prints."""

from importlib.metadata import version


def versions() -> str:
    """Versions of the package, of nnU-Net and of PyTorch, and the device that PyTorch would use; imports PyTorch."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    packages = [f"{name} {version(name)}" for name in ("nnunetv2-adamss", "nnunetv2")]
    return "\n".join([*packages, f"torch {torch.__version__}", f"device {device}"])
