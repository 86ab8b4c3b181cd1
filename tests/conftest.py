"""Fixtures for the whole suite: projects at every stage of the work, made once and copied for the tests.

What takes seconds to import is imported by the fixture that needs it, since pytest's main process needs none.
"""

import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import numpy as np
import pytest

from tests.kept_folder import kept_folder
from tests.nnunet_project import NnunetProject

if TYPE_CHECKING:
    from tests.benchmark.project import FakeBenchmark
    from tests.trained_model import TrainedModel

# Machines that test are busy: how long an example takes means nothing. Examples are the same in every run, so that a
# failure is due to a change; --hypothesis-profile=new_examples looks for others.
hypothesis.settings.register_profile("new_examples", deadline=None, print_blob=True)
hypothesis.settings.register_profile("same_examples", deadline=None, derandomize=True)
hypothesis.settings.load_profile("same_examples")

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, or one process would be left alone with them at the end."""
    items.sort(key=lambda item: item.path.parent.name != "trainers")


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


@pytest.fixture(autouse=True)
def _the_process_is_left_as_it_was() -> Iterator[None]:
    """A test that leaves torch more threads slows all later ones down several times.

    numpy warns again in every test: lifelines, with which some compare, turns its warnings off for good.
    """
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    with np.errstate():
        yield
    assert torch is None or torch.get_num_threads() == before


@pytest.fixture
def progress_plots() -> None:
    """Let trainings draw their progress after every epoch, as they do for users."""


@pytest.fixture(autouse=True)
def _no_progress_plots(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere they do not, since that takes longer than the epochs of a test."""
    logger = sys.modules.get("nnunetv2.training.logging.nnunet_logger")
    if logger and "progress_plots" not in request.fixturenames:
        monkeypatch.setattr(logger.MetaLogger, "plot_progress_png", lambda self, folder: None)


@pytest.fixture(scope="session")
def tiny_project(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> NnunetProject:
    """Six cases of 24^3 voxels with a hot ball in PET, planned and preprocessed by nnU-Net."""
    from tests.tiny_project import make_tiny_project

    kept = kept_folder(pytestconfig, "tiny_project", make_tiny_project)
    return NnunetProject(shutil.copytree(kept, tmp_path_factory.mktemp("tiny") / "project"))


@pytest.fixture(scope="session")
def survival_project(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> NnunetProject:
    """A dozen phantoms with outcomes, planned and preprocessed by nnU-Net, with splits of three folds."""
    from tests.survival_project import make_survival_project

    kept = kept_folder(pytestconfig, "survival_project", make_survival_project)
    return NnunetProject(shutil.copytree(kept, tmp_path_factory.mktemp("survival") / "project"))


@pytest.fixture(scope="session")
def trained_model(
    survival_project: NnunetProject, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> "TrainedModel":
    """A survival model of two folds of these phantoms, with radiomics and clinical indicators."""
    from tests.trained_model import TrainedModel, train_model

    kept = kept_folder(pytestconfig, "trained_model", partial(train_model, survival_project))
    results = tmp_path_factory.mktemp("trained_model") / "results"
    return TrainedModel(survival_project, shutil.copytree(kept, results))


@pytest.fixture(scope="module")
def statistical_model(
    trained_model: "TrainedModel", tmp_path_factory: pytest.TempPathFactory
) -> Iterator["TrainedModel"]:
    """The same with results of their own for a file's tests, which fit statistical methods to it."""
    copy = trained_model.linked_in(tmp_path_factory.mktemp("statistical") / "results")
    with pytest.MonkeyPatch.context() as monkeypatch:
        copy.use_for_statistical_methods(monkeypatch)
        yield copy


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> NnunetProject:
    """A cross-validation of three folds of both stages as trainings leave it, and a prediction in ``OUT``."""
    from tests.finished_project import make_finished_project, write_prediction

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
def fake_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "FakeBenchmark":
    """Forty patients in two folds, and commands that pretend to train on them; nothing is trained yet."""
    from tests.benchmark.project import make_benchmark

    return make_benchmark(tmp_path / "project", monkeypatch)


@pytest.fixture
def snakemake_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "FakeBenchmark":
    """The same, whose steps are run by snakemake itself."""
    from tests.benchmark.project import make_benchmark

    return make_benchmark(tmp_path / "project", monkeypatch, with_snakemake=True)
