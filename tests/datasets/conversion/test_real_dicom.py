"""Real DICOM of two patients, against what its publishers made of it."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.cli.convert_dataset import main

CASES = ("STS_008", "STS_025")


@pytest.fixture(scope="module", params=["ct", "pet"])
def converted(
    request: pytest.FixtureRequest, real_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """A scan's own grid, and the data set on it."""
    raw = tmp_path_factory.mktemp("raw")
    options = ["-d", "512", "-o", str(raw), "-np", "1", "--grid", request.param]
    assert main(["dicom", str(real_data / "ibsi_validation" / "dicom"), *options]) == 0
    return request.param, raw / "Dataset512_dicom"


def both(folder: Path, name: str, published: Path) -> tuple[np.ndarray, np.ndarray]:
    """The voxels of a converted image, and the published ones at the same physical points."""
    image, other = sitk.ReadImage(str(folder / name)), sitk.ReadImage(str(published))
    index = np.array(other.TransformPhysicalPointToContinuousIndex(image.GetOrigin()))
    start = np.rint(index).astype(int)
    assert np.abs(index - start).max() < 1e-3
    part = sitk.RegionOfInterest(other, image.GetSize(), start.tolist())
    return sitk.GetArrayFromImage(image).astype(float), sitk.GetArrayFromImage(part).astype(float)


@pytest.mark.parametrize("case", CASES)
def test_scans_and_masks_are_the_published_ones(
    converted: tuple[str, Path], real_data: Path, case: str
) -> None:
    grid, folder = converted
    published = real_data / "ibsi_validation" / "nifti" / case
    channel, tolerance = ("0000", 0.5) if grid == "ct" else ("0001", 1e-3)
    scan, expected = both(
        folder, f"imagesTr/{case}_{channel}.nii.gz", published / f"{grid.upper()}_image.nii.gz"
    )
    assert np.abs(scan - expected).max() <= tolerance
    mask, reference = both(folder, f"labelsTr/{case}.nii.gz", published / f"{grid.upper()}_mask.nii.gz")
    assert reference.sum() > 300
    assert 2 * (mask * reference).sum() / (mask.sum() + reference.sum()) >= 0.98


@pytest.mark.parametrize("case", CASES)
def test_the_mr_and_its_structures_are_left_out_with_the_reason(
    converted: tuple[str, Path], case: str
) -> None:
    grid, folder = converted
    log = json.loads((folder / "conversion_log.json").read_text())["cases"][case]
    scan, structures, other = log["left_out"]
    assert scan.startswith("MR series")
    assert scan.endswith("neither CT nor PET")
    assert structures.startswith("RTSTRUCT with GTV_Mass_MR_T1: drawn on MR series")
    assert other.endswith("another one was chosen")
    assert log["files"]["mask"] == f"RTSTRUCT: GTV_Mass_{grid.upper()}"
    assert log["suv"]["rule"] == "GML: the values are SUV already"
