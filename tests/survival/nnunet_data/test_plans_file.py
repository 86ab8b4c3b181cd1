"""nnU-Net's plan as a file: what this package uses of it is there and can be used."""

import json
from pathlib import Path
from typing import Any

import pytest

from nnunetv2_adamss.survival.nnunet_data.plans_file import read_plans_file

FULL_RESOLUTION = {"spacing": [3.0, 1.0, 1.0], "patch_size": [16, 32, 32], "batch_size": 2}


def write(folder: Path, **configurations: dict[str, Any]) -> Path:
    content = {"dataset_name": "Dataset001_X", "plans_name": "nnUNetPlans", "configurations": configurations}
    (folder / "plans.json").write_text(json.dumps(content))
    return folder / "plans.json"


def test_a_configuration_may_have_its_values_from_another_one(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        **{"3d_fullres": FULL_RESOLUTION},
        small={"inherits_from": "3d_fullres", "batch_size": 1},
        smaller={"inherits_from": "small", "patch_size": [8, 8, 8]},
    )
    assert read_plans_file(file)["configurations"]["smaller"]["patch_size"] == [8, 8, 8]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spacing", [1.0, 0.0, 1.0]),
        ("spacing", [1.0]),
        ("patch_size", [16, 0, 16]),
        ("patch_size", "16"),
        ("batch_size", 1.5),
        ("architecture", []),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_configuration(
    tmp_path: Path, name: str, value: object
) -> None:
    file = write(tmp_path, **{"3d_fullres": FULL_RESOLUTION | {name: value}})
    with pytest.raises(ValueError, match=rf"plans\.json .*configuration '3d_fullres' has no usable {name}"):
        read_plans_file(file)


@pytest.mark.parametrize(
    "configurations",
    [
        {"small": {"inherits_from": "3d_fullres"}},
        {"small": {"inherits_from": 3}},
        {"small": {"inherits_from": "small"}},
        {"small": {"inherits_from": "smaller"}, "smaller": {"inherits_from": "small"}},
    ],
    ids=["from none that there is", "from a number", "from itself", "from each other"],
)
def test_inheritance_that_leads_nowhere_is_refused(
    tmp_path: Path, configurations: dict[str, dict[str, Any]]
) -> None:
    with pytest.raises(ValueError, match="'small' inherits from itself or from none that there is"):
        read_plans_file(write(tmp_path, **configurations))
