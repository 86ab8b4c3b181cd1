"""The folder in which nnU-Net finds this package's trainers."""

from pathlib import Path

PLUGIN_FOLDER = Path(__file__).parent.resolve() / "nnunet_plugin"
"""Holds one module that re-exports the trainer classes, and nothing else."""
