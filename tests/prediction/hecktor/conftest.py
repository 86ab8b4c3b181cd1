"""Phantoms on separate grids, converted as the images that the tests' model predicts."""

import json
from pathlib import Path

import pytest
import SimpleITK as sitk

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


@pytest.fixture
def container(native: Path, tmp_path: Path) -> Path:
    """``/input`` of the first phantom."""
    for kind, ending in (("ct", "CT"), ("pet", "PT")):
        folder = tmp_path / "input" / "images" / kind
        folder.mkdir(parents=True)
        image = sitk.ReadImage(str(native / f"phantom000__{ending}.nii.gz"))
        sitk.WriteImage(image, str(folder / "0b9a-4711.mha"), useCompression=True)
    ehr = {"CenterID": 9, "Age": 60, "Gender": 1, "hpv": 1, "Performance Status": None, "M-stage": "Mx"}
    (tmp_path / "input" / "ehr.json").write_text(json.dumps(ehr))
    (tmp_path / "output").mkdir()
    return tmp_path
