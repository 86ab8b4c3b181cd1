"""Phantoms on separate grids, converted as the images that the tests' model predicts."""

from pathlib import Path

import pytest

from nnunetv2_adamss.cli.convert_dataset import main
from tests.datasets.conversion.layouts import write_phantoms

CASES = ("CHUM-001", "CHUS-002")


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CT, PET and mask of phantoms, each scan on a grid of its own."""
    return write_phantoms(tmp_path_factory.mktemp("phantoms"))


@pytest.fixture(scope="session")
def converted(native: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data set of two of them, without masks, in voxels of 5 mm."""
    root = tmp_path_factory.mktemp("converted")
    rows = [
        f"{case},{native}/phantom00{number}__CT.nii.gz,{native}/phantom00{number}__PT.nii.gz,"
        for number, case in enumerate(CASES)
    ]
    (root / "cohort.csv").write_text("\n".join(["case_id,ct,pet,mask", *rows]) + "\n")
    arguments = [
        "manifest",
        str(root / "cohort.csv"),
        "-d",
        "9",
        "-o",
        str(root),
        "--spacing",
        "5",
        "-np",
        "1",
    ]
    assert main([*arguments, "--labels", "GTVp", "GTVn"]) == 0
    return root / "Dataset009_manifest"
