"""Where a fold's radiomics lie, and that those of other masks are refused."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.radiomics_table import (
    check_made_from,
    provenance_file,
    radiomics_file,
    radiomics_name,
)
from nnunetv2_adamss.survival.tumour_region.mask_source import GivenMasks, mask_provenance


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "radiomics_predicted.csv"),
        ({"mirroring": False}, "radiomics_predicted_without_mirroring.csv"),
        ({"seg_checkpoint": "checkpoint_final.pth"}, "radiomics_predicted_checkpoint_final.csv"),
        ({"mask_source": "out_of_fold", "mirroring": False}, "radiomics_out_of_fold_without_mirroring.csv"),
        ({"mask_source": "groundtruth", "mirroring": False}, "radiomics_groundtruth.csv"),
        ({"mask_source": "folder", "masks_dir": "/data/drawn"}, "radiomics_folder_drawn.csv"),
    ],
)
def test_the_table_is_named_after_the_masks(settings: dict[str, object], name: str) -> None:
    assert radiomics_name(SurvivalConfig.from_dict(settings)) == name


def test_features_that_are_known_to_be_of_other_masks_are_refused(tmp_path: Path) -> None:
    drawn, other = (
        SurvivalConfig.from_dict({"mask_source": "folder", "masks_dir": str(tmp_path / folder / "drawn")})
        for folder in ("here", "there")
    )
    stage_one = SimpleNamespace(fold_folder=tmp_path)
    masks = GivenMasks(tmp_path, ".nii.gz")
    # Of a table that somebody else made nothing is known.
    check_made_from(masks, stage_one, drawn)  # type: ignore[arg-type]
    table = radiomics_file(stage_one, drawn)  # type: ignore[arg-type]
    assert table == radiomics_file(stage_one, other)  # type: ignore[arg-type]
    write_json(provenance_file(table), {"masks": mask_provenance(drawn, masks), "request": {}})
    check_made_from(masks, stage_one, drawn)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="made from other masks than this training's"):
        check_made_from(masks, stage_one, other)  # type: ignore[arg-type]
