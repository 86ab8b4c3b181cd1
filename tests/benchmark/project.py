"""A preprocessed data set of forty patients in two folds, and commands that pretend to train on it."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.benchmark import do_step, run_steps
from nnunetv2_adamss.benchmark.workflow import workflow_folder
from nnunetv2_adamss.common import processes
from tests.nnunet_project import NnunetProject
from tests.processes import is_running

DATASET = "Dataset007_Forty"
CASES = [f"case_{number:02d}" for number in range(40)]
FOLDS = [CASES[0::2], CASES[1::2]]
_COMMANDS = ("nnUNetv2_train", "adamss_extract_radiomics", "adamss_finetune_survival", "adamss_fit_statistical",
             "adamss_explain", "adamss_predict_survival", "adamss_predict_statistical")  # fmt: skip


@dataclass(frozen=True)
class FakeBenchmark:
    """The project, and what the fake commands do."""

    project: NnunetProject

    @property
    def commands(self) -> Path:
        return self.project.root / "bin"

    @property
    def output(self) -> Path:
        return self.project.root / "OUT"

    def knob(self, name: str, text: str) -> None:
        """Change what the commands do from now on."""
        (self.commands / name).write_text(text)

    def calls(self) -> list[str]:
        """Command lines so far."""
        return [line.rpartition(" gpu=")[0] for line in self._call_lines()]

    def gpus(self) -> list[str]:
        """What each command saw of CUDA devices."""
        return [line.rpartition(" gpu=")[2].split()[0] for line in self._call_lines()]

    def is_running(self, call: int = -1) -> bool:
        """Whether the process of a call is still there."""
        return is_running(int(self._call_lines()[call].rpartition("=")[2]))

    def _call_lines(self) -> list[str]:
        file = self.commands / "calls"
        return file.read_text().splitlines() if file.is_file() else []

    def arguments(self, *options: str) -> list[str]:
        """Of ``adamss_benchmark``."""
        return ["-d", "7", "-c", "3d_fullres", "-o", str(self.output), "-device", "cpu", *options]

    def fold(self, trainer: str, fold: int) -> Path:
        return self.project.results / DATASET / f"{trainer}__nnUNetPlans__3d_fullres" / f"fold_{fold}"


def make_benchmark(
    root: Path, monkeypatch: pytest.MonkeyPatch, *, with_snakemake: bool = False
) -> FakeBenchmark:
    """Case 0 has its event on day 1, case 1 on day 2 and so on; everybody has one.

    Args:
        root: folder of the project.
        monkeypatch: pytest's.
        with_snakemake: whether steps are run by it.
    """
    project = NnunetProject(root)
    project.use(monkeypatch)
    preprocessed, raw = project.preprocessed / DATASET, project.raw / DATASET
    (preprocessed / "gt_segmentations").mkdir(parents=True)
    raw.mkdir(parents=True)
    for case_id in CASES:
        write_mask(preprocessed / "gt_segmentations" / f"{case_id}.nii.gz", 4)
    dataset_json = {"labels": {"background": 0, "tumour": 1, "node": 2}, "file_ending": ".nii.gz"}
    (preprocessed / "dataset.json").write_text(json.dumps(dataset_json))
    # An architecture that is not looked at, as in plans of today's nnU-Net.
    configurations = {
        name: {"patch_size": [8] * n_axes, "architecture": {}}
        for name, n_axes in (("3d_fullres", 3), ("2d", 2))
    }
    plans = {"plans_name": "nnUNetPlans", "dataset_name": DATASET, "configurations": configurations}
    (preprocessed / "nnUNetPlans.json").write_text(json.dumps(plans))
    splits = [{"train": FOLDS[1 - fold], "val": FOLDS[fold]} for fold in range(2)]
    (preprocessed / "splits_final.json").write_text(json.dumps(splits))
    rows = [f"{case_id},{number + 1},1" for number, case_id in enumerate(CASES)]
    (raw / "survival.csv").write_text("\n".join(["case_id,time,event", *rows]))
    _write_commands(project.root / "bin")
    monkeypatch.setattr(processes, "_SCRIPTS", project.root / "bin")
    if not with_snakemake:
        monkeypatch.setattr(run_steps, "_snakemake", run_here)
    return FakeBenchmark(project)


def run_here(output: Path, *options: str) -> int:
    """Stands for snakemake, which takes seconds to begin: all steps in this process, one after another."""
    file = workflow_folder(output) / "steps.json"
    steps = json.loads(file.read_text())["steps"]
    done = file.parent / "done"

    def wanted(name: str) -> set[str]:
        if (done / name).exists():
            return set()
        return {name}.union(*map(wanted, [*steps[name]["needs"], *steps[name]["after"]]))

    of_results = set[str]().union(*(wanted(name) for name, step in steps.items() if step["is_result"]))
    exit_code = 0
    for name in filter(of_results.__contains__, steps):
        inputs = [*steps[name]["needs"], *steps[name]["after"]]
        if not all((done / other).exists() for other in inputs) or do_step.main(file, name):
            exit_code = 1
    return exit_code


def make_test_set(project: NnunetProject) -> None:
    """Twelve other patients: the first one dies first."""
    raw = project.raw / "Dataset008_Test"
    cases = [f"test_{number:02d}" for number in range(12)]
    for folder in (raw / "imagesTr", raw / "labelsTr"):
        folder.mkdir(parents=True)
    for case_id in cases:
        write_mask(raw / "labelsTr" / f"{case_id}.nii.gz", 4)
    labels = {"background": 0, "tumour": 1, "node": 2}
    (raw / "dataset.json").write_text(json.dumps({"labels": labels, "file_ending": ".nii.gz"}))
    rows = [f"{case_id},{number + 1},1" for number, case_id in enumerate(cases)]
    (raw / "survival.csv").write_text("\n".join(["case_id,time,event", *rows]))


def write_mask(file: Path, length: int) -> None:
    """An image of eight voxels in a row, of which the first are tumour or node."""
    mask = np.zeros((1, 1, 8), dtype=np.uint8)
    mask[..., :length] = 1
    mask[..., :1] = 2
    sitk.WriteImage(sitk.GetImageFromArray(mask), str(file))


def _write_commands(folder: Path) -> None:
    folder.mkdir()
    fake = folder / "fake_command.py"
    fake.write_text(Path(__file__).with_name("fake_command.py").read_text())
    for name in _COMMANDS:
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I "{fake}" "$0" "$@"\n')
        script.chmod(0o755)
