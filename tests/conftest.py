"""Fixtures for the whole suite: nnU-Net's folders, and a tiny data set that nnU-Net has planned."""

import json
import shutil
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
import SimpleITK as sitk

from tests.benchmark.project import FakeBenchmark, make_benchmark
from tests.finished_project import make_finished_project, write_prediction
from tests.nnunet_project import NnunetProject, run_command
from tests.survival_project import make_survival_project
from tests.trained_model import TrainedModel, train_model

# Machines that test are busy: how long an example takes says nothing.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real PET/CT and survival tables beside the project."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"the real data are not at {REAL_DATA}")
    return REAL_DATA


@pytest.fixture(scope="session")
def cases() -> Path:
    """Small inputs beside the project that an earlier version answered wrongly."""
    folder = REAL_DATA.with_name("cases")
    if not folder.is_dir():
        pytest.skip(f"the cases are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def tiny_project(tmp_path_factory: pytest.TempPathFactory) -> NnunetProject:
    """Six cases of 24^3 voxels with a hot ball in PET, planned and preprocessed by nnU-Net."""
    project = NnunetProject(tmp_path_factory.mktemp("tiny"))
    labels = {"background": 0, "tumour": 1, "core": 2, "ignore": 3}
    write_balls(project, "Dataset901_Tiny", {"labels": labels})
    run_command(
        "nnUNetv2_plan_and_preprocess", "-d", "901", "-c", "3d_fullres", "2d", "-npfp", "1", "-np", "1", "1",
        environment=project.environment,
    )  # fmt: skip
    return project


@pytest.fixture(scope="session")
def survival_project(tmp_path_factory: pytest.TempPathFactory) -> NnunetProject:
    """A dozen phantoms with outcomes, planned and preprocessed by nnU-Net, with splits of three folds."""
    return make_survival_project(tmp_path_factory.mktemp("survival"))


@pytest.fixture(scope="session")
def trained_model(survival_project: NnunetProject, tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    """A survival model of two folds of these phantoms, with radiomics and clinical indicators."""
    return train_model(survival_project, tmp_path_factory.mktemp("trained_model"))


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> NnunetProject:
    """A cross-validation of three folds of both stages as trainings leave it, and a prediction in ``OUT``."""
    root = tmp_path_factory.mktemp("finished")
    project = make_finished_project(root, 24)
    write_prediction(project, root / "OUT")
    return project


@pytest.fixture
def finished_copy(
    finished_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> NnunetProject:
    """The same in files that a test may spoil, with nnU-Net's variables set in this process too."""
    copy = NnunetProject(tmp_path / "project")
    shutil.copytree(finished_project.root, copy.root)
    copy.use(monkeypatch)
    return copy


@pytest.fixture
def nnunet_environment(tiny_project: NnunetProject, monkeypatch: pytest.MonkeyPatch) -> NnunetProject:
    """The tiny project, with nnU-Net's variables set in this process too."""
    tiny_project.use(monkeypatch)
    return tiny_project


@pytest.fixture
def fake_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeBenchmark:
    """Forty patients in two folds, and commands that pretend to train on them; nothing is trained yet."""
    return make_benchmark(tmp_path / "project", monkeypatch)


def write_balls(project: NnunetProject, name: str, dataset_json: dict[str, Any], n_cases: int = 6) -> None:
    """Write noisy images of one ball, label 1, with its core, label 2, and a slab that nobody labelled, 3."""
    rng = np.random.default_rng(0)
    folder = project.raw / name
    (folder / "imagesTr").mkdir(parents=True)
    (folder / "labelsTr").mkdir()
    for case in range(n_cases):
        centre = rng.uniform(9, 15, size=3).reshape(3, 1, 1, 1)
        distance = np.linalg.norm(np.indices((24, 24, 24)) - centre, axis=0)
        label = (distance < 7).astype(np.uint8) + (distance < 4)
        pet = 5.0 * label + rng.normal(1, 0.5, label.shape)
        ct = 40.0 * (label > 0) + rng.normal(0, 20, label.shape)
        label[:3] = 3
        for file, array in (
            (f"imagesTr/case_{case}_0000", ct.astype(np.float32)),
            (f"imagesTr/case_{case}_0001", pet.astype(np.float32)),
            (f"labelsTr/case_{case}", label),
        ):
            sitk.WriteImage(sitk.GetImageFromArray(array), str(folder / f"{file}.nii.gz"))
    description = {"channel_names": {"0": "CT", "1": "PET"}, "numTraining": n_cases, "file_ending": ".nii.gz"}
    (folder / "dataset.json").write_text(json.dumps(description | dataset_json))
