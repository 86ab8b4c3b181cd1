"""A finished cross-validation, calibrated and with a prediction of new patients, for all tests of the report."""

import shutil
from pathlib import Path

import pytest

from nnunetv2_adamss.report.model_data import find_model
from nnunetv2_adamss.report.write_report import write_report
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from tests.finished_project import (
    DATASET,
    SURV_TRAINER,
    calibrate,
)
from tests.nnunet_project import NnunetProject


@pytest.fixture
def project(finished_copy: NnunetProject) -> NnunetProject:
    """Uncalibrated, and with a prediction of new patients in OUT."""
    return finished_copy


@pytest.fixture
def source(project: NnunetProject) -> CrossValidation:
    """The model of the copy."""
    return find_model(DATASET, "3d_fullres", SURV_TRAINER, "nnUNetPlans")


@pytest.fixture
def calibrated_source(project: NnunetProject, source: CrossValidation) -> CrossValidation:
    """The same, calibrated."""
    calibrate(project)
    return source


@pytest.fixture(scope="session")
def finished_report(finished_project: NnunetProject, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a calibrated model, with a word that finds no place to break."""
    copy = NnunetProject(tmp_path_factory.mktemp("reported") / "project")
    shutil.copytree(finished_project.root, copy.root)
    calibrate(copy)
    file = copy.root / "report.html"
    with pytest.MonkeyPatch.context() as monkeypatch:
        copy.use(monkeypatch)
        source = find_model(DATASET, "3d_fullres", SURV_TRAINER, "nnUNetPlans")
        source.folds[0].summary["covariates"]["notes"].append("x" * 300)
        write_report(source, file, n_patients=1)
    return file
