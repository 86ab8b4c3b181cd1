"""What nnU-Net itself makes of images by the changed plans."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nnunetv2.preprocessing.normalization.default_normalization_schemes import (
    CTNormalization,
    ZScoreNormalization,
)
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunetv2_adamss.cli.set_normalization import main
from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.datasets.normalization import plans_with
from tests.nnunet_project import NnunetProject

SCHEMES = {"CTNormalization": CTNormalization, "ZScoreNormalization": ZScoreNormalization}
HU = np.array([-3000, -1024, -512, 0, 40, 1024, 3000], np.float32)
SUV = np.array([-0.1, 0, 1, 2.5, 10, 25, 60], np.float32)


@pytest.fixture
def folder(tiny_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A planned data set whose files a test may add to."""
    name = "Dataset901_Tiny"
    for variable in ("nnUNet_raw", "nnUNet_preprocessed", "nnUNet_results"):
        (tmp_path / variable / name).mkdir(parents=True)
        monkeypatch.setenv(variable, str(tmp_path / variable))
    copy = tmp_path / "nnUNet_preprocessed" / name
    for file in ("nnUNetPlans.json", "dataset.json"):
        (copy / file).write_bytes((tiny_project.preprocessed / name / file).read_bytes())
    return copy


def normalised(plans: dict[str, Any], channel: int, values: np.ndarray) -> np.ndarray:
    """By the class and the numbers that the plans name, as nnU-Net's preprocessor does."""
    scheme = PlansManager(plans).get_configuration("3d_fullres").normalization_schemes[channel]
    properties = plans["foreground_intensity_properties_per_channel"][str(channel)]
    return SCHEMES[scheme](use_mask_for_norm=False, intensityproperties=properties).run(values.copy())


def read(folder: Path, name: str = "nnUNetPlans") -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return content


def test_ct_is_clipped_to_1024_and_divided_by_it_as_in_the_paper(folder: Path) -> None:
    assert main(["-d", "901"]) == 0
    plans = read(folder, "AdaMSSPlans")
    assert normalised(plans, 0, HU) == pytest.approx(np.clip(HU, -1024, 1024) / 1024)
    assert normalised(plans, 1, SUV) == pytest.approx((SUV - SUV.mean()) / SUV.std(), rel=1e-5)


def test_copies_by_other_rules_or_of_other_plans_say_so_in_their_names(folder: Path) -> None:
    write_json(
        folder / "nnUNetResEncUNetMPlans.json", read(folder) | {"plans_name": "nnUNetResEncUNetMPlans"}
    )
    assert main(["-d", "901", "--pet", "suv"]) == 0
    assert main(["-d", "901", "--ct", "nnunet"]) == 0
    assert main(["-d", "901", "-p", "nnUNetResEncUNetMPlans"]) == 0
    assert {file.stem for file in folder.glob("*_PET*.json")} == {
        "nnUNetPlans_CTpaper_PETsuv",
        "nnUNetPlans_CTnnunet_PETzscore",
        "nnUNetResEncUNetMPlans_CTpaper_PETzscore",
    }


def test_the_next_command_is_said_with_the_id_that_nnunet_takes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-d", "Dataset901_Tiny"]) == 0
    assert (
        "Next: nnUNetv2_preprocess -d 901 -plans_name AdaMSSPlans -c 3d_fullres\nand -p AdaMSSPlans with"
        in (capsys.readouterr().out)
    )


def test_suv_keeps_one_scale_in_every_image(folder: Path) -> None:
    assert main(["-d", "901", "--pet", "suv"]) == 0
    plans = read(folder, "nnUNetPlans_CTpaper_PETsuv")
    assert normalised(plans, 1, SUV) == pytest.approx([0, 0, 0.2, 0.5, 2, 5, 5])
    assert normalised(plans, 1, SUV[:3]) == pytest.approx([0, 0, 0.2])


def test_nnunets_rule_stays_as_it_was_planned(folder: Path) -> None:
    assert main(["-d", "901", "--ct", "nnunet", "--pet", "suv", "-o", "mine"]) == 0
    assert normalised(read(folder, "mine"), 0, HU) == pytest.approx(normalised(read(folder), 0, HU))


def test_the_copy_has_its_own_name_and_folders_and_the_plan_is_left_as_it_was(folder: Path) -> None:
    before = read(folder)
    main(["-d", "901", "--pet", "suv", "-o", "mine"])
    after = read(folder, "mine")
    assert read(folder) == before
    assert PlansManager(after).plans_name == "mine"
    for configuration in ("2d", "3d_fullres"):
        assert PlansManager(after).get_configuration(configuration).data_identifier == f"mine_{configuration}"
    changed = {"plans_name", "foreground_intensity_properties_per_channel", "configurations"}
    assert {key for key in before if before[key] != after[key]} == changed


def test_configurations_that_inherit_are_not_touched(folder: Path) -> None:
    plans = read(folder)
    plans["configurations"]["3d_cascade_fullres"] = {
        "inherits_from": "3d_fullres",
        "previous_stage": "3d_lowres",
    }
    changed = plans_with(plans, "mine", ct=0, ct_rule="paper", pet=1, pet_rule="suv")
    assert changed["configurations"]["3d_cascade_fullres"] == plans["configurations"]["3d_cascade_fullres"]


def test_a_batch_size_is_that_of_3d_configurations(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-d", "901", "--batch_size", "3"]) == 0
    before, after = PlansManager(read(folder)), PlansManager(read(folder, "AdaMSSPlans"))
    assert after.get_configuration("3d_fullres").batch_size == 3
    assert after.get_configuration("2d").batch_size == before.get_configuration("2d").batch_size
    with pytest.raises(SystemExit):
        main(["-d", "901", "--batch_size", "0"])
    assert "--batch_size is 0, but must be at least 1" in capsys.readouterr().err


def test_another_plan_of_that_name_is_only_replaced_on_request(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-d", "901", "-o", "mine"]) == 0
    assert main(["-d", "901", "-o", "mine"]) == 0  # the same
    assert main(["-d", "901", "-o", "mine", "--pet", "suv"]) == 2
    assert "replace it with --overwrite" in capsys.readouterr().err
    assert main(["-d", "901", "-o", "mine", "--pet", "suv", "--overwrite"]) == 0
    assert main(["-d", "901", "-o", "nnUNetPlans", "--overwrite"]) == 2
    assert "is the plan itself" in capsys.readouterr().err


def test_a_data_set_without_a_plan_is_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-d", "901", "-p", "Other"]) == 2
    assert "Run nnUNetv2_plan_and_preprocess, or" in capsys.readouterr().err
    assert main(["-d", "901", "-p", "AdaMSSPlans", "-o", "Other"]) == 2
    assert (
        "Run nnUNetv2_plan_and_preprocess --no_pp, then adamss_set_normalization, or"
        in capsys.readouterr().err
    )
