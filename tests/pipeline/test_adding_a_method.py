"""The code of the developers' page on adding a method is added to a copy of the package and run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nnunetv2_adamss
from tests.nnunet_project import NnunetProject
from tests.survival_project import DATASET, write_stage_one

pytestmark = pytest.mark.slow

PACKAGE = Path(nnunetv2_adamss.__file__).parent
PAGE = PACKAGE.parent / "docs" / "developers" / "add_a_method.md"
TABLE = "methods/table.py"
# Any place among the rows will do.
FOLLOWING_ROW = '    _baseline("covariates_cox"'


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package, to which the page's files and rows are added and nothing else."""
    root = tmp_path_factory.mktemp("copy")
    package = root / PACKAGE.name
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert [name for name, _ in blocks] == [
        "networks/comparison/mean_uptake.py", TABLE, "methods/statistical/risks/unit_weights.py", TABLE,
    ]  # fmt: skip
    for name, code in blocks:
        file = package / name
        if name == TABLE:
            before, following, after = file.read_text().partition(FOLLOWING_ROW)
            file.write_text(before + code + following + after)
        else:
            file.write_text(code)
    return root


@pytest.fixture
def environment(
    copy: Path, survival_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """nnU-Net's variables, the copy in the place of the package, and a Stage-I network."""
    survival_project.use(monkeypatch)
    monkeypatch.setenv("nnUNet_results", str(tmp_path))
    monkeypatch.setenv("nnUNet_n_proc_DA", "0")
    write_stage_one(survival_project)
    plugin = copy / PACKAGE.name / "nnunet_plugin"
    return {**os.environ, "PYTHONPATH": str(copy), "nnUNet_extTrainer": str(plugin)}


def run(command: str, *arguments: str, environment: dict[str, str]) -> str:
    """The command of the copy, run to its end; returns what it printed."""
    # Python looks in its working folder first.
    done = subprocess.run(
        [sys.executable, "-m", f"{PACKAGE.name}.cli.{command}", *arguments],
        cwd=environment["PYTHONPATH"], env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_network_of_a_file_and_a_row_is_trained_and_predicts(
    environment: dict[str, str], tmp_path: Path
) -> None:
    options = ("-tr", "MeanUptakeTrainer_ShortSchedule", "--mask_source", "groundtruth", "--epochs", "1")
    run("finetune_survival", "902", "3d_fullres", "0", *options, "-device", "cpu", environment=environment)
    fold = tmp_path / DATASET / "MeanUptakeTrainer_ShortSchedule__nnUNetPlans__3d_fullres" / "fold_0"
    assert len((fold / "validation" / "survival_predictions.csv").read_text().splitlines()) == 1 + 4


def test_a_statistical_method_of_a_file_and_a_row_is_fitted(
    environment: dict[str, str], tmp_path: Path
) -> None:
    options = ("-tr", "UnitWeights", "--mask_source", "groundtruth", "-device", "cpu")
    run("fit_statistical", "902", "3d_fullres", "0", *options, environment=environment)
    fold = tmp_path / DATASET / "UnitWeights__nnUNetPlans__3d_fullres" / "fold_0"
    assert len((fold / "validation" / "survival_predictions.csv").read_text().splitlines()) == 1 + 4


def test_the_benchmark_knows_both(environment: dict[str, str]) -> None:
    shown = run("benchmark", "--help", environment=environment)
    assert "mean_uptake" in shown
    assert "unit_weights" in shown
