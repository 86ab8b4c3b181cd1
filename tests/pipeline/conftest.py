"""One Stage-I training on real PET/CT, which every slow test shares."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import pytest

from tests.nnunet_project import NnunetProject, run_command

TRAINER = "AdaMSSSegTrainer_ShortSchedule"


@dataclass(frozen=True)
class StageOneRun:
    """A trained fold 0 of the real data set."""

    project: NnunetProject
    seconds: dict[str, float] = field(default_factory=dict)

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
        start = monotonic()
        output = run_command(command, *arguments, environment=self.project.environment | environment)
        self.seconds.setdefault(command, monotonic() - start)
        return output

    def run_expecting_failure(self, command: str, *arguments: str) -> str:
        return run_command(
            command, *arguments, environment=self.project.environment, expect_failure=True
        ).strip()


FIGURES = pytest.StashKey[list[str]]()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Add a measured figure to the end of pytest's output."""
    return request.config.stash.setdefault(FIGURES, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    for figure in config.stash.get(FIGURES, []):
        terminalreporter.write_line(f"measured: {figure}")


@pytest.fixture(scope="session")
def stage_one_run(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> StageOneRun:
    """Verify, plan, preprocess and train, by nnU-Net's commands."""
    run = StageOneRun(NnunetProject(tmp_path_factory.mktemp("stage_one")))
    run.project.raw.mkdir()
    (run.project.raw / "Dataset510_STS").symlink_to(real_data / "Dataset510_STS")
    run.run(
        "nnUNetv2_plan_and_preprocess", "-d", "510", "-c", "3d_fullres", "--verify_dataset_integrity",
        "-npfp", "2", "-np", "2",
    )  # fmt: skip
    run.run(
        "nnUNetv2_train", "510", "3d_fullres", "0", "-tr", TRAINER, "-device", "cpu", "--npz", "--val_best"
    )
    return run
