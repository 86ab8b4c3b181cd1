"""The two real patients, against the boxes that another conversion of the same data kept of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.cli.convert_dataset import main
from nnunetv2_adamss.datasets.conversion.head_and_neck import head_and_neck_box
from nnunetv2_adamss.datasets.conversion.presets import PRESETS
from nnunetv2_adamss.datasets.conversion.source_cohort import read_cohort
from nnunetv2_adamss.datasets.conversion.source_tables import read_tables

CASES = ("STS_008", "STS_025")


@pytest.fixture(scope="module")
def converted(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    raw = tmp_path_factory.mktemp("raw")
    options = ["-d", "511", "-o", str(raw), "-np", "1", "--field_mm", "none"]
    assert main(["ibsi_sarcoma", str(real_data / "ibsi_validation"), *options]) == 0
    return raw / "Dataset511_ibsi_sarcoma"


def same_voxels(folder: Path, box: sitk.Image, name: str) -> np.ndarray:
    """What the conversion has at the physical place of the box."""
    image = sitk.ReadImage(str(folder / name))
    index = np.array(image.TransformPhysicalPointToContinuousIndex(box.GetOrigin()))
    start = np.rint(index).astype(int)
    assert np.abs(index - start).max() < 1e-3
    return sitk.GetArrayFromImage(sitk.RegionOfInterest(image, box.GetSize(), start.tolist()))


@pytest.mark.parametrize("case", CASES)
def test_pet_and_mask_are_exactly_and_ct_nearly_those_of_the_boxes(
    converted: Path, real_data: Path, case: str
) -> None:
    boxes = {}
    for name in (f"imagesTr/{case}_0000.nii.gz", f"imagesTr/{case}_0001.nii.gz", f"labelsTr/{case}.nii.gz"):
        box = sitk.ReadImage(str(real_data / "Dataset510_STS" / name))
        boxes[name] = (
            same_voxels(converted, box, name).astype(float),
            sitk.GetArrayFromImage(box).astype(float),
        )
    (ct, ct_box), *others = boxes.values()
    for found, expected in others:
        assert np.array_equal(found, expected)
    assert np.abs(ct - ct_box).mean() < 2  # HU, of some 1,000
    assert np.abs(ct - ct_box).max() < 30
    assert np.corrcoef(ct.ravel(), ct_box.ravel())[0, 1] > 0.9999


def test_no_sarcoma_is_taken_for_a_brain(real_data: Path) -> None:
    """Thighs and trunks of 28 patients, with all that takes up glucose there."""
    files = sorted((real_data / "Dataset510_STS" / "imagesTr").glob("*_0001.nii.gz"))
    assert len(files) == 28
    assert [file.name for file in files if head_and_neck_box(sitk.ReadImage(str(file))) is not None] == []


def test_boxes_of_one_size_are_the_default(real_data: Path, tmp_path: Path) -> None:
    options = ["-d", "511", "-o", str(tmp_path), "-np", "1"]
    assert main(["ibsi_sarcoma", str(real_data / "ibsi_validation"), *options]) == 0
    for case in CASES:
        image = sitk.ReadImage(str(tmp_path / "Dataset511_ibsi_sarcoma" / "imagesTr" / f"{case}_0001.nii.gz"))
        known = sitk.ReadImage(str(real_data / "Dataset510_STS" / "imagesTr" / f"{case}_0001.nii.gz"))
        assert image.GetSize() == known.GetSize()


def test_outcomes_of_the_clinical_sheet_are_those_of_the_published_table(real_data: Path) -> None:
    published = pd.read_csv(real_data / "Dataset510_STS" / "survival.csv").set_index("case_id")
    preset = PRESETS["ibsi_sarcoma"]
    sheet, _ = read_tables([real_data / "ibsi_validation" / "INFOclinical_STS.xlsx"], preset)
    assert preset.outcome_of is not None
    for case_id, row in published.iterrows():
        cells = sheet.loc[str(case_id).replace("_", "").casefold()]
        outcome = preset.outcome_of(cells.to_dict())
        assert (float(outcome["time"]), int(outcome["event"])) == (row["time"], row["event"])
        assert (float(cells["age"]), cells["sex"], cells["histology"]) == (
            row["age"],
            row["sex"],
            row["histology"],
        )
    assert len(published) == 28


def test_the_two_patients_are_read_with_nothing_to_complain_of(real_data: Path) -> None:
    cohort = read_cohort(real_data / "ibsi_validation", PRESETS["ibsi_sarcoma"], "pet")
    assert list(cohort.table["case_id"]) == list(CASES)
    assert [warning.split(":")[0] for warning in cohort.warnings] == [
        "49 patients in the tables without scans"
    ]
    assert "CC BY 3.0" in cohort.origin["licence"]
    assert not cohort.broken
