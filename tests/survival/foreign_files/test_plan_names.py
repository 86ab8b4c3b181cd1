"""Names in plans: what nnU-Net ships passes, and nothing else is looked up."""

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nnunetv2_adamss.survival.foreign_files.plan_names import check_model_folder, check_names

# A library of nnU-Net's networks warns when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:torch")
UNET = "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet"
PLANS: dict[str, Any] = {
    "image_reader_writer": "SimpleITKIO",
    "label_manager": "LabelManager",
    "experiment_planner_used": "MyPlanner",
    "configurations": {
        "3d_fullres": {
            "preprocessor_name": "DefaultPreprocessor",
            "normalization_schemes": ["CTNormalization", "ZScoreNormalization"],
            "resampling_fn_data": "resample_data_or_seg_to_shape",
            "resampling_fn_seg": "resample_data_or_seg_to_shape",
            "resampling_fn_probabilities": "resample_torch_fornnunet",
            "architecture": {
                "network_class_name": UNET,
                "arch_kwargs": {"conv_op": "torch.nn.modules.conv.Conv3d", "dropout_op": None},
                "_kw_requires_import": ["conv_op", "dropout_op"],
            },
        },
        "3d_lowres": {"inherits_from": "3d_fullres"},
        "old": {"UNet_class_name": "PlainConvUNet", "preprocessor_name": "APreprocessorOfAnotherMachine"},
    },
}


def configuration(plans: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = plans["configurations"]["3d_fullres"]
    return found


def architecture(plans: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = configuration(plans)["architecture"]
    return found


def test_a_plan_of_nnunet_passes() -> None:
    check_names(PLANS, {"overwrite_image_reader_writer": "None"}, "plan")
    check_names(PLANS, {"overwrite_image_reader_writer": "NibabelIOWithReorient"}, "plan")


@pytest.mark.parametrize(
    "name",
    [
        UNET.replace(".unet.", ".residual_unet."),
        "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "dynamic_network_architectures.architectures.primus.PrimusM",
    ],
)
def test_networks_of_nnunets_library_pass_where_they_were_moved_too(name: str) -> None:
    plans = copy.deepcopy(PLANS)
    architecture(plans)["network_class_name"] = name
    check_names(plans, {}, "plan")


@pytest.mark.parametrize(
    "name",
    [
        "torch.hub.load",
        "os.system",
        "subprocess.run",
        "AdaMSS",
        "dynamic_network_architectures",
        "dynamic_network_architectures.architectures.unet",
        "dynamic_network_architectures.architectures.unet.nn.Linear",
        "dynamic_network_architectures.architectures.unet.Nothing",
        "dynamic_network_architectures_of_mine.Net",
        "",
        None,
        3,
        ["torch.hub.load"],
    ],
)
def test_no_other_network_is_looked_up(name: object) -> None:
    plans = copy.deepcopy(PLANS)
    architecture(plans)["network_class_name"] = name
    with pytest.raises(
        ValueError, match=r"^plan names what nnU-Net does not ship.*\(network_class_name\) of 3d_full"
    ):
        check_names(plans, {}, "plan")


@pytest.mark.parametrize("name", ["antigravity", "tests.foreign_code_of_a_plan.run"])
def test_a_refused_name_is_not_even_imported(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "antigravity.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(str(tmp_path))
    plans = copy.deepcopy(PLANS)
    architecture(plans)["network_class_name"] = name
    with pytest.raises(ValueError, match="names what nnU-Net does not ship"):
        check_names(plans, {}, "plan")
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    "value", ["os.system", "torch.hub.load", "torch.nn.functional.relu", "torch.nn", 3, [1]]
)
def test_arguments_are_layers_of_torch(value: object) -> None:
    plans = copy.deepcopy(PLANS)
    architecture(plans)["arch_kwargs"]["conv_op"] = value
    with pytest.raises(ValueError, match=r"\(conv_op\) of 3d_fullres"):
        check_names(plans, {}, "plan")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        # All of them are names in a module that nnU-Net searches.
        ("preprocessor_name", "multiprocessing"),
        ("normalization_schemes", ["ZScoreNormalization", "np"]),
        ("resampling_fn_data", "recursive_find_python_class"),
        ("resampling_fn_seg", "__builtins__"),
        ("resampling_fn_probabilities", "unknown_function"),
        ("resampling_fn_data", 3),
    ],
)
def test_what_nnunet_searches_for_is_its_own(key: str, name: object) -> None:
    plans = copy.deepcopy(PLANS)
    configuration(plans)[key] = name
    with pytest.raises(ValueError, match=rf"\({key}\) of 3d_fullres"):
        check_names(plans, {}, "plan")


def test_readers_are_nnunets() -> None:
    with pytest.raises(ValueError, match=r"'sitk' \(image_reader_writer\)"):
        check_names({**PLANS, "image_reader_writer": "sitk"}, {}, "plan")
    with pytest.raises(ValueError, match=r"'np' \(label_manager\)"):
        check_names({**PLANS, "label_manager": "np"}, {}, "plan")
    with pytest.raises(ValueError, match=r"'np' \(overwrite_image_reader_writer\)"):
        check_names(PLANS, {"overwrite_image_reader_writer": "np"}, "plan")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda plans: plans.pop("configurations"),
        lambda plans: plans.update(configurations=[1]),
        lambda plans: plans.update(configurations={"2d": 3}),
        lambda plans: configuration(plans).update(architecture="AdaMSS"),
        lambda plans: architecture(plans).update(arch_kwargs=[]),
        lambda plans: architecture(plans).update(_kw_requires_import="conv_op"),
    ],
)
def test_misshapen_plans_are_one_sentence(spoil: Callable[[dict[str, Any]], object]) -> None:
    plans = copy.deepcopy(PLANS)
    spoil(plans)
    with pytest.raises(ValueError, match=r"^plan (is damaged or no plan|names what nnU-Net does not ship)"):
        check_names(plans, {}, "plan")


def test_plan_and_data_set_beside_a_model_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"missing: .*plans.json, .*dataset.json"):
        check_model_folder(tmp_path)
    (tmp_path / "plans.json").write_text(json.dumps(PLANS))
    (tmp_path / "dataset.json").write_text("{}")
    check_model_folder(tmp_path)
    (tmp_path / "dataset.json").write_text('{"overwrite_image_reader_writer": "np"}')
    with pytest.raises(ValueError, match=r"dataset.json names what nnU-Net does not ship"):
        check_model_folder(tmp_path)
    (tmp_path / "plans.json").write_text("[]")
    with pytest.raises(ValueError, match=r"plans.json holds a list"):
        check_model_folder(tmp_path)
