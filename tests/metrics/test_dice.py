"""Dice of label images of a few voxels, counted by hand."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.metrics.dice import LabelDice, dice_by_label
from nnunetv2_adamss.metrics.lesion_detection import LesionDetection


def write(file: Path, voxels: list[int]) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(np.array(voxels, dtype=np.uint8).reshape(1, 1, -1)), str(file))
    return file


@pytest.fixture
def cases(tmp_path: Path) -> list[tuple[str, Path, Path]]:
    """Tumour (1) and node (2): four voxels of the large case and one of the small one agree; 9 is ignored."""
    voxels = {
        "large": ([1, 1, 1, 2, 0, 0, 1], [1, 1, 1, 2, 2, 0, 9]),
        "small": ([1, 0, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0]),
    }
    return [
        (name, write(tmp_path / f"{name}_p.nii.gz", mask), write(tmp_path / f"{name}_t.nii.gz", truth))
        for name, (mask, truth) in voxels.items()
    ]


def test_mean_over_cases_and_all_cases_as_one(cases: list[tuple[str, Path, Path]]) -> None:
    tumour, node, both = dice_by_label(cases, {"tumour": (1,), "node": (2,), "both": (1, 2)}, ignored=9)
    lesions = LesionDetection(2, 0, 0, 1.0)
    assert tumour == LabelDice(
        "tumour", pytest.approx((1 + 2 / 3) / 2), pytest.approx(8 / 9), 2, tumour.by_case, lesions=lesions
    )
    assert tumour.by_case == {"large": 1.0, "small": pytest.approx(2 / 3)}
    assert node.by_case == {"large": pytest.approx(2 / 3), "small": None}
    assert (node.mean, node.aggregated, node.n_cases) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 1)
    assert both.aggregated == pytest.approx(2 * 5 / (4 + 5 + 1 + 2))


def test_without_an_ignored_value_every_voxel_counts(cases: list[tuple[str, Path, Path]]) -> None:
    (tumour,) = dice_by_label(cases, {"tumour": (1,)})
    assert tumour.by_case["large"] == pytest.approx(6 / 7)
    assert tumour.lesions == LesionDetection(2, 1, 0, pytest.approx(4 / 5))


def test_a_label_that_is_nowhere_has_a_reason_and_no_number(cases: list[tuple[str, Path, Path]]) -> None:
    (found,) = dice_by_label(cases, {"lung": (5,)})
    assert (found.mean, found.aggregated, found.n_cases) == (None, None, 0)
    assert found.reason == "the label neither occurs nor was predicted in any case"


def test_without_any_case_there_are_reasons_and_no_numbers() -> None:
    (found,) = dice_by_label([], {"tumour": (1,)})
    assert found.mean is None and found.reason is not None
    assert found.lesions == LesionDetection(0, 0, 0, None)


def test_images_of_different_sizes_are_refused(tmp_path: Path) -> None:
    pair = write(tmp_path / "a.nii.gz", [1, 0]), write(tmp_path / "b.nii.gz", [1, 0, 0])
    with pytest.raises(
        ValueError, match=r"a.nii.gz lies on another grid than .*b.nii.gz: 2x1x1 voxels .* not 3x1x1"
    ):
        dice_by_label([("a", *pair)], {"tumour": (1,)})
