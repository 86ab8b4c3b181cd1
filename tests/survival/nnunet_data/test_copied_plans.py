"""Plans that were copied by hand: results lie under the name that is written inside."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from nnunetv2_adamss.datasets.normalization import write_plans
from nnunetv2_adamss.survival.nnunet_data.dataset import read_plans

DATASET = "Dataset001_X"
PLANS: dict[str, Any] = {
    "plans_name": "nnUNetPlans",
    "dataset_name": DATASET,
    "foreground_intensity_properties_per_channel": {"0": {}, "1": {}},
    "configurations": {
        "3d_fullres": {"data_identifier": "x", "normalization_schemes": ["a", "b"], "spacing": [1, 1, 1]}
    },
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The preprocessed data set, with a plan."""
    for name in ("raw", "preprocessed", "results"):
        (tmp_path / name / DATASET).mkdir(parents=True)
        monkeypatch.setenv(f"nnUNet_{name}", str(tmp_path / name))
    found = tmp_path / "preprocessed" / DATASET
    description = {
        "channel_names": {"0": "CT", "1": "PET"},
        "labels": {"tumour": 1},
        "file_ending": ".nii.gz",
    }
    write(found / "dataset.json", description)
    write(found / "nnUNetPlans.json", PLANS)
    return found


def write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content))


def trained_by(folder: Path, plans: dict[str, Any]) -> None:
    """Leave a plan where nnU-Net keeps that of a training."""
    model = f"AdaMSSSegTrainer__{plans['plans_name']}__3d_fullres"
    write(folder.parents[1] / "results" / DATASET / model / "plans.json", plans)


def test_a_plan_under_its_own_name_is_read(folder: Path) -> None:
    assert read_plans(DATASET, "nnUNetPlans")[0] == PLANS
    write(folder / "Mine.json", {**PLANS, "plans_name": "Mine"})
    assert read_plans(DATASET, "Mine")[0]["plans_name"] == "Mine"


def test_a_copy_that_kept_the_old_name_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / "Mine.json", {**PLANS, "configurations": {}})
    # Of the plan itself, not of its copy.
    trained_by(folder, PLANS)
    with pytest.raises(
        ValueError, match=r"Mine.json calls itself 'nnUNetPlans'.* Set its plans_name to \"Mine\""
    ):
        read_plans(DATASET, "Mine")
    monkeypatch.delenv("nnUNet_results")
    with pytest.raises(ValueError, match="calls itself 'nnUNetPlans'"):
        read_plans(DATASET, "Mine")


def test_results_that_such_a_copy_has_left_can_still_be_used(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = {**PLANS, "configurations": {"3d_fullres": {"spacing": [2, 2, 2]}}}
    write(folder / "Mine.json", copy)
    trained_by(folder, copy | {"continue_training": True})
    with caplog.at_level(logging.WARNING):
        assert read_plans(DATASET, "Mine")[0] == copy
    assert "calls itself 'nnUNetPlans', and its results lie under that name" in caplog.text


def test_the_copies_that_the_package_writes_are_named_after_their_file(folder: Path) -> None:
    file = write_plans(DATASET, "nnUNetPlans", None, ct_rule="nnunet", pet_rule="zscore", overwrite=False)
    assert read_plans(DATASET, file.stem)[0]["plans_name"] == file.stem
    assert write_plans(
        DATASET, file.stem, "again", ct_rule="nnunet", pet_rule="zscore", overwrite=False
    ).is_file()


@pytest.mark.parametrize("content", [None, [], {}, 3, "x", {"plans_name": 3}])
def test_misshapen_plans_are_one_sentence(folder: Path, content: object) -> None:
    write(folder / "Mine.json", content)
    with pytest.raises(ValueError, match=r"Mine.json (holds|is damaged)"):
        read_plans(DATASET, "Mine")
