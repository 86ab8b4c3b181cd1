"""Plans and data sets that AdaMSS cannot be trained on get one clear sentence, and leave nothing behind."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from nnunetv2.experiment_planning.plan_and_preprocess_api import plan_experiments

from nnunetv2_adamss.cli import set_normalization
from nnunetv2_adamss.trainers import AdaMSSSegTrainer
from tests.nnunet_project import NnunetProject


def plans_and_dataset(project: NnunetProject) -> tuple[dict[str, Any], dict[str, Any]]:
    folder = project.preprocessed / "Dataset901_Tiny"
    plans = json.loads((folder / "nnUNetPlans.json").read_text()) | {"continue_training": False}
    return plans, json.loads((folder / "dataset.json").read_text())


def expect_refusal(
    plans: dict[str, Any], configuration: str, dataset_json: dict[str, Any], message: str, results: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        AdaMSSSegTrainer(plans, configuration, 0, dataset_json)
    assert not list(results.rglob("training_log*"))


@pytest.fixture
def empty_results(nnunet_environment: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("nnUNet_results", str(tmp_path))
    return tmp_path


def test_an_unknown_configuration_is_named_with_the_known_ones(
    tiny_project: NnunetProject, empty_results: Path
) -> None:
    plans, dataset_json = plans_and_dataset(tiny_project)
    message = "no configuration '4d_fullres' in the plan nnUNetPlans of .*, only .*3d_fullres"
    expect_refusal(plans, "4d_fullres", dataset_json, message, empty_results)


def test_a_plan_of_a_network_without_stages_is_refused(
    tiny_project: NnunetProject, empty_results: Path
) -> None:
    plans, dataset_json = plans_and_dataset(tiny_project)
    plans["configurations"]["3d_fullres"]["architecture"]["arch_kwargs"] = {"embed_dim": 864}
    expect_refusal(plans, "3d_fullres", dataset_json, "has no strides and no kernel_sizes", empty_results)


def test_the_cascade_is_refused(tiny_project: NnunetProject, empty_results: Path) -> None:
    plans, dataset_json = plans_and_dataset(tiny_project)
    plans["configurations"]["3d_lowres"] = copy.deepcopy(plans["configurations"]["3d_fullres"])
    plans["configurations"]["3d_cascade_fullres"] = {
        "inherits_from": "3d_fullres",
        "previous_stage": "3d_lowres",
    }
    expect_refusal(plans, "3d_cascade_fullres", dataset_json, "second step of a cascade", empty_results)


def test_one_channel_is_refused(tiny_project: NnunetProject, empty_results: Path) -> None:
    plans, dataset_json = plans_and_dataset(tiny_project)
    dataset_json["channel_names"] = {"0": "CT"}
    expect_refusal(plans, "3d_fullres", dataset_json, "at least 2 image channels .* has 1", empty_results)


def test_a_patch_that_the_strides_do_not_divide_is_refused(
    tiny_project: NnunetProject, empty_results: Path
) -> None:
    plans, dataset_json = plans_and_dataset(tiny_project)
    plans["configurations"]["3d_fullres"]["patch_size"] = [24, 24, 25]
    expect_refusal(
        plans, "3d_fullres", dataset_json, r"patch size \[24, 24, 25\] does not fit", empty_results
    )


def test_the_residual_encoder_plan_of_the_guide_is_supported(
    tiny_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guide = Path(__file__).parents[2].joinpath("docs", "stage_one.md").read_text()
    copied = NnunetProject(shutil.copytree(tiny_project.root, tmp_path / "project"))
    copied.use(monkeypatch)
    assert "-pl nnUNetPlannerResEncL" in guide
    planned = plan_experiments([901], "nnUNetPlannerResEncL")
    assert f"adamss_set_normalization -d DATASET -p {planned}" in guide
    assert set_normalization.main(["901", "-p", str(planned)]) == 0
    name = f"{planned}_CTpaper_PETzscore"
    assert f"-plans_name {name}" in guide
    folder = copied.preprocessed / "Dataset901_Tiny"
    plans = json.loads((folder / f"{name}.json").read_text())
    architecture = plans["configurations"]["3d_fullres"]["architecture"]
    assert architecture["network_class_name"].endswith("ResidualEncoderUNet")
    AdaMSSSegTrainer.check_plan(plans, "3d_fullres", json.loads((folder / "dataset.json").read_text()))
