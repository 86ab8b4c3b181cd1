"""One Stage-I training on real PET/CT, which all tests that need one begin from."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.kept_folder import kept_folder
from tests.nnunet_project import NnunetProject, run_command

TRAINER = "AdaMSSSegTrainer_ShortSchedule"
SECONDS = "seconds.json"


@dataclass(frozen=True)
class StageOneRun:
    """A trained fold 0 of the real data set."""

    project: NnunetProject

    @property
    def environment(self) -> dict[str, str]:
        """nnU-Net's variables, and all cores, of which another process of these tests takes its share."""
        return self.project.environment | {"OMP_NUM_THREADS": str(os.cpu_count())}

    @property
    def seconds(self) -> dict[str, float]:
        """What every command of the training took."""
        seconds: dict[str, float] = json.loads((self.project.root / SECONDS).read_text())
        return seconds

    @property
    def fold(self) -> Path:
        return self.project.results / "Dataset510_STS" / f"{TRAINER}__nnUNetPlans__3d_fullres" / "fold_0"

    @property
    def split(self) -> dict[str, list[str]]:
        splits = self.project.preprocessed / "Dataset510_STS" / "splits_final.json"
        fold_0: dict[str, list[str]] = json.loads(splits.read_text())[0]
        return fold_0

    def images_of(self, case_ids: list[str], folder: Path) -> Path:
        """Link the raw images of these cases into a folder, as one hands them to nnUNetv2_predict."""
        folder.mkdir()
        for case_id in case_ids:
            for channel in ("0000", "0001"):
                name = f"{case_id}_{channel}.nii.gz"
                (folder / name).symlink_to(self.project.raw / "Dataset510_STS" / "imagesTr" / name)
        return folder

    def run(self, command: str, *arguments: str, **environment: str) -> str:
        return run_command(command, *arguments, environment=self.environment | environment)

    def run_expecting_failure(self, command: str, *arguments: str) -> str:
        return run_command(command, *arguments, environment=self.environment, expect_failure=True).strip()


MEASURED = "measured"


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Add a measured figure to the end of pytest's output."""
    return partial(record_property, MEASURED)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for figure in _figures(terminalreporter.stats):
        terminalreporter.write_line(f"measured: {figure}")


def _figures(stats: dict[str, list[Any]]) -> Iterator[object]:
    for outcome in ("passed", "failed"):
        for test in stats.get(outcome, []):
            yield from (value for name, value in test.user_properties if name == MEASURED)


@pytest.fixture(scope="session")
def stage_one_run(
    real_data: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> StageOneRun:
    """A copy of the training, to which a test may add its own."""
    kept = kept_folder(pytestconfig, "stage_one_run", partial(train_stage_one, real_data))
    root = tmp_path_factory.mktemp("stage_one") / "project"
    return StageOneRun(NnunetProject(shutil.copytree(kept, root, symlinks=True)))


def train_stage_one(real_data: Path, root: Path) -> None:
    """Verify, plan, preprocess and train, by nnU-Net's commands."""
    project, seconds = NnunetProject(root), {}
    project.raw.mkdir()
    (project.raw / "Dataset510_STS").symlink_to(real_data / "Dataset510_STS")
    for command, *arguments in (
        ("nnUNetv2_plan_and_preprocess", "-d", "510", "-c", "3d_fullres", "--verify_dataset_integrity",
         "-npfp", "2", "-np", "2"),
        ("nnUNetv2_train", "510", "3d_fullres", "0", "-tr", TRAINER, "-device", "cpu", "--npz", "--val_best"),
    ):  # fmt: skip
        start = monotonic()
        run_command(command, *arguments, environment=project.environment)
        seconds[command] = monotonic() - start
    (root / SECONDS).write_text(json.dumps(seconds))
