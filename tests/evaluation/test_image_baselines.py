"""Volumes, uptakes and Dice from folders as nnU-Net lays them out."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.evaluation.image_baselines import baseline_scores, segmentation_dice

LABELS = {"background": 0, "tumour": [1, 2], "core": 2, "ignore": 3}


def write(file: Path, voxels: list[float]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(np.array(voxels, dtype=np.float32).reshape(1, 1, -1))
    image.SetSpacing((10.0, 10.0, 10.0))
    sitk.WriteImage(image, str(file))


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Two cases of five voxels of 1 ml; CT is channel 0, PET channel 1."""
    for case_id, mask, label in (("a", [1, 2, 0, 0, 0], [1, 1, 2, 0, 3]), ("b", [0] * 5, [1, 0, 0, 0, 0])):
        write(tmp_path / "masks" / f"{case_id}.nii.gz", mask)
        write(tmp_path / "labelsTs" / f"{case_id}.nii.gz", label)
        write(tmp_path / "imagesTs" / f"{case_id}_0000.nii.gz", [40] * 5)
        write(tmp_path / "imagesTs" / f"{case_id}_0001.nii.gz", [3, 7, 9, 1, 1])
    description = {"channel_names": {"0": "CT", "1": "PET"}, "labels": LABELS, "file_ending": ".nii.gz"}
    (tmp_path / "dataset.json").write_text(json.dumps(description))
    return tmp_path


def test_volume_and_highest_uptake_of_each_case(raw: Path) -> None:
    found = baseline_scores(["b", "a"], raw / "masks", raw / "imagesTs")
    assert found.to_dict("index") == {
        "b": {"tumour_volume_ml": 0, "suv_max": 0},
        "a": {"tumour_volume_ml": pytest.approx(2), "suv_max": 7},
    }
    assert list(baseline_scores(["a"], raw / "masks", None)) == ["tumour_volume_ml"]
    assert baseline_scores(["a"], raw / "masks", raw / "imagesTs", 0).loc["a", "suv_max"] == 40


def test_dice_takes_regions_and_the_ignore_label_from_the_data_set(raw: Path) -> None:
    tumour, core = segmentation_dice(raw / "masks", raw / "labelsTs")
    assert (tumour.label, tumour.mean) == ("tumour", pytest.approx((4 / 5 + 0) / 2))
    assert tumour.aggregated == pytest.approx(4 / 6)
    assert (core.n_cases, core.mean) == (1, 0)


def test_missing_files_are_named(raw: Path) -> None:
    with pytest.raises(ValueError, match=r"no files for some cases: .*masks/c.nii.gz"):
        baseline_scores(["a", "c"], raw / "masks", None)
    (raw / "labelsTs" / "b.nii.gz").unlink()
    with pytest.raises(ValueError, match=r"labelsTs/b.nii.gz"):
        segmentation_dice(raw / "masks", raw / "labelsTs")
    with pytest.raises(ValueError, match="no folder .*nowhere"):
        baseline_scores(["a"], raw / "nowhere", None)


def test_a_pet_that_is_not_named_is_asked_for(raw: Path) -> None:
    file = raw / "dataset.json"
    file.write_text(file.read_text().replace("PET", "MR"))
    with pytest.raises(ValueError, match=r"not clear from dataset.json \(CT, MR\). Give its number"):
        baseline_scores(["a"], raw / "masks", raw / "imagesTs")
    file.unlink()
    with pytest.raises(ValueError, match="There is no dataset.json that names the PET"):
        baseline_scores(["a"], raw / "masks", raw / "imagesTs")
    with pytest.raises(ValueError, match="that names the labels"):
        segmentation_dice(raw / "masks", raw / "labelsTs")
