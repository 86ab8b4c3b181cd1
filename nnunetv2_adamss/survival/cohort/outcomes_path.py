"""Where a data set's table of outcomes lies unless the user names another; without pandas, for early checks."""

from pathlib import Path

from nnunetv2_adamss.survival.nnunet_data.dataset import RAW, dataset_folder

SURVIVAL_CSV = "survival.csv"


def default_outcomes(dataset: str) -> Path:
    """Return ``survival.csv`` in the folder of a raw data set, by nnU-Net's name; it may not exist."""
    return dataset_folder(RAW, dataset) / SURVIVAL_CSV
