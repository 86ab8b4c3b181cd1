"""Text that ``--version`` prints: versions of the package and its libraries, and the device."""

from importlib.metadata import version
from platform import python_version


def versions() -> str:
    """Return the versions of the package, nnU-Net, PyTorch and Python, and the device that PyTorch finds."""
    import torch

    apple = "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else apple
    packages = [f"{name} {version(name)}" for name in ("nnunetv2-adamss", "nnunetv2")]
    return "\n".join(
        [*packages, f"torch {torch.__version__}", f"python {python_version()}", f"device {device}"]
    )
