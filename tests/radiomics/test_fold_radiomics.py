"""The features of a Stage-II fold: whose masks, which cases, and where they lie."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.images import read_image
from nnunetv2_adamss.radiomics.extraction_progress import Progress
from nnunetv2_adamss.radiomics.feature_table import provenance_file
from nnunetv2_adamss.radiomics.fold_radiomics import FoldRadiomics, read_fold
from nnunetv2_adamss.radiomics.request import Extras
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.nnunet_data.dataset import RAW, dataset_folder
from tests.nnunet_project import NnunetProject
from tests.radiomics.phantoms import quick_request
from tests.survival_project import DATASET, N_CASES, write_stage_one

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]


@pytest.fixture
def project(
    survival_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> NnunetProject:
    survival_project.use(monkeypatch)
    monkeypatch.setenv("nnUNet_results", str(tmp_path))
    return survival_project


def fold_radiomics(number: int = 0, **config: Any) -> FoldRadiomics:
    fold = read_fold(DATASET, "nnUNetPlans", "3d_fullres", number)
    return FoldRadiomics(fold, SurvivalConfig(**config), quick_request().settings)


def test_all_cases_of_a_fold_are_extracted_from_the_reference_masks(
    project: NnunetProject, tmp_path: Path
) -> None:
    radiomics = fold_radiomics(mask_source="groundtruth")
    report = radiomics.extract(device="cpu", num_processes=1)
    folder = tmp_path / DATASET / "AdaMSSSegTrainer__nnUNetPlans__3d_fullres" / "fold_0"
    assert report.table == radiomics.table == folder / "radiomics_groundtruth.csv"
    rows = pd.read_csv(report.table, index_col="case_id")
    assert len(rows) == N_CASES
    assert rows.notna().all(axis=None)
    masks = json.loads(provenance_file(report.table).read_text())["masks"]
    assert masks == {"source": "groundtruth", "folder": None, "mirroring": None, "checkpoints_sha256": {}}


def test_first_order_statistics_are_those_of_the_voxels_in_a_table_of_their_own(
    project: NnunetProject, tmp_path: Path
) -> None:
    radiomics = replace(fold_radiomics(mask_source="groundtruth", radiomics="first_order"), settings=None)
    report = radiomics.extract(device="cpu", num_processes=1)
    assert report.table.name == "radiomics_first_order_groundtruth.csv"
    rows = pd.read_csv(report.table, index_col="case_id")
    n_channels = len(radiomics.nnunet_fold.dataset_json["channel_names"])
    assert rows.shape == (N_CASES, 19 * n_channels + 1)
    raw = dataset_folder(RAW, DATASET)
    for case_id, row in rows.iterrows():
        mask = read_image(raw / "labelsTr" / f"{case_id}.nii.gz")
        inside = mask.voxels > 0
        pet = read_image(raw / "imagesTr" / f"{case_id}_0001.nii.gz").voxels[inside]
        assert row["PET_original_firstorder_Maximum"] == pytest.approx(pet.max(), rel=1e-5)
        assert row["PET_original_firstorder_Mean"] == pytest.approx(pet.mean(), rel=1e-5)
        volume = inside.sum() * np.prod(mask.grid.spacing_mm)
        assert row["shape_VoxelVolume"] == pytest.approx(volume, rel=1e-5)


def test_another_fold_extracts_only_what_is_not_the_same(project: NnunetProject) -> None:
    first = fold_radiomics(mask_source="groundtruth")
    first.extract(device="cpu", num_processes=1)
    second = fold_radiomics(1, mask_source="groundtruth")
    report = second.extract(device="cpu", num_processes=1)
    assert (report.n_extracted, report.n_kept) == (0, N_CASES)
    assert second.table != first.table
    assert second.table.read_bytes() == first.table.read_bytes()
    # With other settings nothing is the same.
    other = replace(second, config=SurvivalConfig(mask_source="groundtruth"), extras=Extras(shell_mm=5.0))
    assert other.extract(device="cpu", num_processes=1, overwrite=True).n_extracted == N_CASES
    assert first.extract(device="cpu", num_processes=1).n_extracted == 0


def test_missing_masks_are_predicted_first_and_features_are_used_again_while_the_masks_are_the_same(
    project: NnunetProject, tmp_path: Path
) -> None:
    checkpoint = write_stage_one(project) / "checkpoint_best.pth"
    radiomics = fold_radiomics(mirroring=False)
    case_ids = radiomics.nnunet_fold.split().validation[:2]
    calls: list[Any] = []
    progress = Progress(calls.append, calls.append, calls.append, calls.append)
    report = radiomics.extract(case_ids, device="cpu", num_processes=1, progress=progress)
    assert report.table.name == "radiomics_predicted_without_mirroring.csv"
    assert calls == [2, *case_ids, 2, *case_ids]
    masks = json.loads(provenance_file(report.table).read_text())["masks"]
    assert masks["source"] == "predicted"
    assert masks["checkpoints_sha256"] == {"Stage-I masks (fold 0)": sha256_of(checkpoint)}

    calls.clear()
    assert radiomics.extract(case_ids, device="cpu", num_processes=1, progress=progress).n_kept == 2
    assert calls == [2, *case_ids]

    assert radiomics.is_current(case_ids)
    assert not radiomics.is_current(radiomics.nnunet_fold.split().training)
    checkpoint.write_bytes(checkpoint.read_bytes() + b"another training")
    assert not radiomics.is_current(case_ids)


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({}, "There is no Stage-I checkpoint .*nnUNetv2_train"),
        ({"mask_source": "folder", "masks_dir": "/nowhere"}, "12 of 12 cases have no mask in /nowhere"),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_written(
    project: NnunetProject, tmp_path: Path, config: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        fold_radiomics(**config).extract(device="cpu")
    assert not list(tmp_path.rglob("radiomics*"))


def test_a_gpu_that_is_not_there_is_said(project: NnunetProject) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    write_stage_one(project)
    with pytest.raises(
        ValueError, match="12 masks must be predicted, but PyTorch finds no GPU; add -device cpu"
    ):
        fold_radiomics().extract()


def test_the_original_images_are_needed(
    project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("nnUNet_raw", str(tmp_path))
    with pytest.raises(ValueError, match="needs the original images, but there is no raw data set"):
        fold_radiomics(mask_source="groundtruth").extract()


def test_a_plan_or_configuration_that_is_not_there_is_said(project: NnunetProject) -> None:
    with pytest.raises(ValueError, match="not planned and preprocessed; missing: .*otherPlans.json"):
        read_fold(DATASET, "otherPlans", "3d_fullres", 0)
    with pytest.raises(ValueError, match="no configuration '3d_lowres' in .*, only .*3d_fullres"):
        read_fold(DATASET, "nnUNetPlans", "3d_lowres", 0)
