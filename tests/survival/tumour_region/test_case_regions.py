"""The regions of a data set's cases: masks that cannot be used are refused by name, doubtful regions are said."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import read_json
from nnunetv2_adamss.survival.tumour_region.case_regions import CaseRegion, find_regions
from nnunetv2_adamss.survival.tumour_region.mask_source import GivenMasks
from nnunetv2_adamss.survival.tumour_region.region import Region
from tests.nnunet_project import NnunetProject, read_plans


class MasksWithPoint(GivenMasks):
    """Masks of a network, as far as regions are concerned."""

    def likeliest_point(self, case_id: str) -> NDArray[np.float64]:
        return np.array([12.0, 13.0, 14.0])


def write_mask(folder: Path, case_id: str, box: tuple[slice, ...], label: int = 1, side: int = 24) -> None:
    mask = np.zeros((side, side, side), dtype=np.uint8)
    mask[box] = label
    sitk.WriteImage(sitk.GetImageFromArray(mask), str(folder / f"{case_id}.nii.gz"))


def regions(
    project: NnunetProject, masks: GivenMasks, case_ids: list[str], size: tuple[int, ...] = (12, 12, 12)
) -> dict[str, CaseRegion]:
    folder = project.preprocessed / "Dataset901_Tiny"
    dataset = nnUNetDatasetBlosc2(str(folder / "nnUNetPlans_3d_fullres"))
    return find_regions(
        case_ids,
        masks,
        dataset,
        plans_manager=PlansManager(read_plans(project)),
        dataset_json=read_json(folder / "dataset.json"),
        size=size,
    )


def test_every_mask_that_cannot_be_used_is_named(tiny_project: NnunetProject, tmp_path: Path) -> None:
    box = (slice(8, 12),) * 3
    write_mask(tmp_path, "case_0", box)
    write_mask(tmp_path, "case_1", (slice(0),))
    write_mask(tmp_path, "case_2", box, side=20)
    write_mask(tmp_path, "case_3", box, label=3)  # what the data set says to ignore
    with pytest.raises(ValueError, match=r"3 mask\(s\) cannot be used: .*place is unknown") as refusal:
        regions(tiny_project, GivenMasks(tmp_path, ".nii.gz"), ["case_0", "case_1", "case_2", "case_3"])
    assert [f"case_{i} (" in str(refusal.value) for i in range(4)] == [False, True, True, True]


def test_regions_without_a_tumour_or_with_a_part_of_it_are_said_and_no_others(
    tiny_project: NnunetProject, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_mask(tmp_path, "case_0", (slice(8, 12), slice(6, 10), slice(4, 8)))
    write_mask(tmp_path, "case_1", (slice(0),))
    write_mask(tmp_path, "case_2", (slice(0, 24), slice(6, 10), slice(4, 8)))
    found = regions(tiny_project, MasksWithPoint(tmp_path, ".nii.gz"), ["case_0", "case_1", "case_2"])
    # Voxels of 1 mm, which nnU-Net neither crops nor resamples here: the centre less half the size.
    assert found == {
        "case_0": CaseRegion(Region((4, 2, 0), (12, 12, 12)), True, 1.0),
        "case_1": CaseRegion(Region((6, 7, 8), (12, 12, 12)), False, 1.0),
        "case_2": CaseRegion(Region((6, 2, 0), (12, 12, 12)), True, 0.5),
    }
    assert "No tumour was found in 1 case(s): case_1." in caplog.text
    assert "In 1 case(s) less than 95% of the tumour lies in the region: case_2 (50%)." in caplog.text
