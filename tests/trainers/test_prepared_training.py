"""What was prepared before a training is not prepared again, unless anything of it has changed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from nnunetv2_adamss.survival import fold as survival_fold
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.prepared_training import PREPARED_FILE, write_prepared
from nnunetv2_adamss.survival.setup import SurvivalSetup
from nnunetv2_adamss.trainers import AdaMSSSurvTrainer
from tests.nnunet_project import NnunetProject
from tests.survival_project import survival_csv
from tests.trainers.short_trainers.adamss_test_survival_trainers import (
    AdaMSSSurvTrainer_TwoIterations_WithRadiomics,
)
from tests.trainers.test_survival_trainer import ALL_COVARIATES, log, make_trainer, own_features, use

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
REMARK = "WARNING: said while the training was prepared"


@pytest.fixture
def project(
    survival_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> NnunetProject:
    return use(survival_project, tmp_path, monkeypatch)


@pytest.fixture
def n_fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one number with every fit of covariates."""
    fits: list[int] = []
    fit_covariates = survival_fold.fit_covariates

    def count(*arguments: Any) -> Any:
        fits.append(len(fits) + 1)
        return fit_covariates(*arguments)

    monkeypatch.setattr(survival_fold, "fit_covariates", count)
    return fits


@pytest.fixture
def prepared(project: NnunetProject, tmp_path: Path) -> tuple[AdaMSSSurvTrainer, SurvivalSetup]:
    """A training with tables of every kind, prepared as ``adamss_finetune_survival`` does it."""
    table = pd.read_csv(survival_csv(project))
    table.to_csv(tmp_path / "survival.csv", index=False)
    trainer = make_trainer(
        project,
        AdaMSSSurvTrainer_TwoIterations_WithRadiomics,
        features_csv=[own_features(project, tmp_path)],
        survival_csv=str(tmp_path / "survival.csv"),
        **ALL_COVARIATES,
    )
    radiomics = pd.DataFrame({"case_id": table["case_id"], "CT_mean": range(12)})
    radiomics.to_csv(stage_one(trainer) / "radiomics_groundtruth.csv", index=False)
    plans, folder = trainer.plans_manager.plans, Path(trainer.output_folder)
    nnunet_fold = NnunetFold(plans, trainer.dataset_json, "3d_fullres", 0)
    setup = SurvivalSetup.begin(
        nnunet_fold, SurvivalConfig.of_fold(folder), nnunet_fold.split(), trainer.recipe.covariate_use
    )
    write_prepared(folder, setup, trainer.recipe.covariate_use, [REMARK])
    return trainer, setup


def stage_one(trainer: AdaMSSSurvTrainer) -> Path:
    name = "AdaMSSSegTrainer__nnUNetPlans__3d_fullres"
    return Path(trainer.output_folder).parents[1] / name / "fold_0"


def test_the_trainer_starts_from_what_was_prepared(
    prepared: tuple[AdaMSSSurvTrainer, SurvivalSetup], n_fits: list[int]
) -> None:
    trainer, setup = prepared
    trainer.initialize()
    assert n_fits == []
    assert trainer.survival_fold.to_dict() == setup.fold.to_dict()
    assert trainer.survival_fold.covariates.names[-3:] == ["CT_mean", "x", "y"]
    assert log(trainer).count(REMARK) == 1
    assert trainer.setup.stage_one == setup.stage_one


def change_settings(trainer: AdaMSSSurvTrainer, tmp_path: Path) -> None:
    folder = Path(trainer.output_folder)
    settings = SurvivalConfig.of_fold(folder).to_dict() | {"n_intervals": 3}
    SurvivalConfig.from_dict(settings).save(folder)


def change_outcomes(trainer: AdaMSSSurvTrainer, tmp_path: Path) -> None:
    table = pd.read_csv(tmp_path / "survival.csv")
    table.assign(time=table["time"] + 1).to_csv(tmp_path / "survival.csv", index=False)


def describe_outcomes(trainer: AdaMSSSurvTrainer, tmp_path: Path) -> None:
    (tmp_path / "survival.json").write_text('{"time_unit": "months"}')


def change_features(trainer: AdaMSSSurvTrainer, tmp_path: Path) -> None:
    table = pd.read_csv(tmp_path / "features.csv")
    table.assign(x=-table["x"]).to_csv(tmp_path / "features.csv", index=False)


def change_radiomics(trainer: AdaMSSSurvTrainer, tmp_path: Path) -> None:
    file = stage_one(trainer) / "radiomics_groundtruth.csv"
    file.write_text(file.read_text().replace("CT_mean", "CT_median"))


def change_split(trainer: AdaMSSSurvTrainer, tmp_path: Path) -> None:
    training, validation = trainer.do_split()
    changed = [*training[:-1], validation[-1]], [*validation[:-1], training[-1]]
    trainer.do_split = lambda: changed  # type: ignore[method-assign]


def change_stage_one(trainer: AdaMSSSurvTrainer, tmp_path: Path) -> None:
    file = stage_one(trainer) / "checkpoint_best.pth"
    checkpoint = torch.load(file, weights_only=True)
    checkpoint["current_epoch"] += 1
    torch.save(checkpoint, file)


def change_record(**changes: Any) -> Callable[[AdaMSSSurvTrainer, Path], None]:
    def change(trainer: AdaMSSSurvTrainer, tmp_path: Path) -> None:
        file = Path(trainer.output_folder) / PREPARED_FILE
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return change


def cut_record(trainer: AdaMSSSurvTrainer, tmp_path: Path) -> None:
    file = Path(trainer.output_folder) / PREPARED_FILE
    file.write_text(file.read_text()[:100])


def remove_record(trainer: AdaMSSSurvTrainer, tmp_path: Path) -> None:
    (Path(trainer.output_folder) / PREPARED_FILE).unlink()


@pytest.mark.parametrize(
    "change",
    [
        change_settings,
        change_outcomes,
        describe_outcomes,
        change_features,
        change_radiomics,
        change_split,
        change_stage_one,
        change_record(version="0.0.1"),
        change_record(use={"radiomics": False, "clinical": True}),
        change_record(survival={"config": 3}),
        cut_record,
        remove_record,
    ],
)
def test_what_is_no_longer_as_it_was_prepared_is_prepared_by_the_trainer(
    change: Callable[[AdaMSSSurvTrainer, Path], None],
    prepared: tuple[AdaMSSSurvTrainer, SurvivalSetup],
    n_fits: list[int],
    tmp_path: Path,
) -> None:
    trainer, _ = prepared
    change(trainer, tmp_path)
    trainer.initialize()
    assert n_fits == [1]
    assert REMARK not in log(trainer)
    now = trainer.setup.origin()
    assert (now["sources"], now["radiomics"]) == (trainer.survival_fold.sources, None)
    assert trainer.survival_fold.config == SurvivalConfig.of_fold(Path(trainer.output_folder))
