"""Where Stage I says a tumour is likeliest, and which of its masks count as finished."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from nnunetv2_adamss.survival.tumour_region.stage_one_masks import StageOneMasks, likeliest_tumour_point

# Transposed axes: 0.5, 1 and 2 preprocessed voxels for one of the crop, which starts at 2, 0 and 1.
PROPERTIES = {
    "shape_after_cropping_and_before_resampling": (8, 5, 3),
    "bbox_used_for_cropping": [[2, 10], [0, 5], [1, 4]],
}


@pytest.mark.parametrize(
    ("has_regions", "point"),
    [
        # Voxel (2, 3, 4), where one label is 4 above the background: (7, 3.5, 3.25) before the axes are put back.
        (False, [3.5, 7, 3.25]),
        # Voxel (1, 1, 1), which has the highest logit of any region: (5, 1.5, 1.75).
        (True, [1.5, 5, 1.75]),
    ],
)
def test_the_likeliest_point_is_the_middle_of_the_voxel_with_the_highest_foreground_logit(
    has_regions: bool, point: list[float]
) -> None:
    logits = torch.zeros(3, 4, 5, 6)
    logits[:, 1, 1, 1] = torch.tensor([9.0, 10.0, 10.0])
    logits[:, 2, 3, 4] = torch.tensor([-1.0, 0.0, 3.0])
    logits[:, 0, 0, 5] = torch.tensor([-3.0, 0.5, -9.0])
    predictor = SimpleNamespace(
        label_manager=SimpleNamespace(has_regions=has_regions),
        plans_manager=SimpleNamespace(transpose_forward=[1, 0, 2]),
    )
    assert likeliest_tumour_point(logits, PROPERTIES, predictor).tolist() == point  # type: ignore[arg-type]


def test_a_mask_is_there_unless_the_point_beside_it_is_damaged(tmp_path: Path) -> None:
    masks = StageOneMasks(SimpleNamespace(fold_folder=tmp_path), mirroring=True)  # type: ignore[arg-type]
    masks.folder.mkdir()
    point = masks.folder / "a.json"
    assert not masks.is_there("a", ".nii.gz")
    point.write_text('{"likeliest_tumour_point": [1.5, 2.5, 3.5]}')
    assert not masks.is_there("a", ".nii.gz")
    masks.mask_file("a", ".nii.gz").write_text("")
    assert masks.is_there("a", ".nii.gz")
    assert masks.likeliest_point("a").tolist() == [1.5, 2.5, 3.5]
    for damaged in ('{"likeliest_tumour_point": [1.5, 2.5]}', '{"likeliest_tumour_point": ["x", 2, 3]}', "{"):
        point.write_text(damaged)
        assert not masks.is_there("a", ".nii.gz")
        with pytest.raises(ValueError, match="a.json"):
            masks.likeliest_point("a")
    point.unlink()
    assert masks.is_there("a", ".nii.gz")


def test_masks_with_and_without_mirroring_lie_apart(tmp_path: Path) -> None:
    model = SimpleNamespace(fold_folder=tmp_path)
    files = {
        StageOneMasks(model, mirroring).mask_file("a", ".nii.gz")  # type: ignore[arg-type]
        for mirroring in (True, False)
    }
    assert len(files) == 2
    assert {file.name for file in files} == {"a.nii.gz"}


def test_masks_of_another_checkpoint_are_discarded_and_those_of_the_same_are_kept(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint_best.pth"
    checkpoint.write_text("one")
    model = SimpleNamespace(
        fold_folder=tmp_path,
        trainer="AdaMSSSegTrainer",
        checkpoint_name=checkpoint.name,
        checkpoint=checkpoint,
        check_exists=lambda: None,
    )
    masks = StageOneMasks(model, mirroring=True)  # type: ignore[arg-type]
    mask, provenance = masks.mask_file("a", ".nii.gz"), masks.folder / "provenance.json"
    masks.discard_outdated()
    mask.write_text("")
    masks.discard_outdated()
    assert mask.is_file()
    checkpoint.write_text("another")
    masks.discard_outdated()
    assert not mask.exists()
    mask.write_text("")
    provenance.write_text("{")
    masks.discard_outdated()
    assert not mask.exists()
    assert provenance.is_file()
