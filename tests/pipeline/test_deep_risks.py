"""The statistical methods that go on with a deep one, on networks that were trained for seconds on phantoms."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nnunetv2_adamss import trainers
from nnunetv2_adamss.methods.statistical.fit import FitRequest, fit_statistical
from nnunetv2_adamss.methods.statistical.fitted_model import FittedModel
from nnunetv2_adamss.methods.statistical.predict_new_patients import PatientInputs, predict_statistical
from nnunetv2_adamss.networks.comparison import deepmtlr
from nnunetv2_adamss.prediction.patient_tables import read_clinical
from nnunetv2_adamss.prediction.predict_patients import PredictionRequest, predict_patients
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.number_table import read_number_table
from tests.nnunet_project import NnunetProject, read_plans
from tests.survival_project import DATASET, dataset_json, splits, survival_csv, write_stage_one
from tests.trained_model import TrainedModel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
FOLDS = (0, 1, 2)
SCHEDULE = {"n_epochs": 2, "n_iterations": 2, "batch_size": 4}
SETTINGS = {"clinical_selection": "none", "feature_selection": "none", "mirroring": False}


@pytest.fixture(scope="module")
def model(
    survival_project: NnunetProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TrainedModel]:
    """Three folds of DeepMTS and DeepMTLR, and the methods that go on with them fitted on each."""
    trained = TrainedModel(survival_project, tmp_path_factory.mktemp("deep_risks"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        trained.use_for_statistical_methods(monkeypatch)
        monkeypatch.setenv("nnUNet_n_proc_DA", "0")
        monkeypatch.setattr(deepmtlr, "_CHANNELS", (2, 4, 8, 8))
        for fold in FOLDS:
            write_stage_one(survival_project, fold)
            for name in ("DeepMTSTrainer", "DeepMTLRTrainer"):
                train(survival_project, name, fold)
        for fold in FOLDS:
            for method in ("deepmtlr_cox", "radio_deepmts"):
                fit_statistical(FitRequest(DATASET, "3d_fullres", fold, method, SETTINGS, device="cpu"))
        yield trained


def train(project: NnunetProject, name: str, fold: int) -> None:
    published = getattr(trainers, name)
    # At published rates four steps from random weights may end where all curves stay at 1.
    rates = (1e-4,) * len(published.recipe.schedule.learning_rates)
    recipe = published.recipe.with_schedule(**SCHEDULE, learning_rates=rates)
    trainer_class = type(name, (published,), {"recipe": recipe})
    plans = read_plans(project, DATASET)
    trainer = trainer_class(plans, "3d_fullres", fold, dataset_json(project), torch.device("cpu"))
    settings: dict[str, Any] = {
        **trainer.recipe.default_settings,
        "clinical_selection": "none",
        "mirroring": False,
    }
    SurvivalConfig.from_dict(settings).save(Path(trainer.output_folder))
    trainer.run_training()
    trainer.perform_actual_validation()


def fold_folder(model: TrainedModel, name: str, fold: int) -> Path:
    return model.results / DATASET / f"{name}__nnUNetPlans__3d_fullres" / f"fold_{fold}"


def risks(folder: Path, file: str = "validation/survival_predictions_last.csv") -> pd.Series:
    return pd.read_csv(folder / file).set_index("case_id")["risk_score"]


def by_hand(model: TrainedModel, one: FittedModel, deep: pd.Series, features: Path | None) -> list[float]:
    """A fitted model's risks of the cases of a series of deep risks, term by term."""
    covariates, case_ids = one.fold.covariates, list(deep.index)
    clinical = read_clinical(survival_csv(model.project), covariates.indicators)
    tables = CovariateTables(clinical, features=None if features is None else read_number_table(features))
    inputs = covariates.inputs(tables, case_ids).assign(deep_risk=deep)
    weights = dict(zip(*one.model.to_dict().values(), strict=True))
    assert weights["deep_risk"] != 0 and len(weights) > 1
    return [sum(w * inputs.loc[case_id, name] for name, w in weights.items()) for case_id in case_ids]


@pytest.mark.parametrize("fold", FOLDS)
def test_radio_deepmts_continues_with_the_fold_that_was_not_trained_on_the_case(
    model: TrainedModel, fold: int
) -> None:
    parts = [risks(fold_folder(model, "DeepMTSTrainer", number)) for number in FOLDS]
    assert [sorted(part.index) for part in parts] == [
        splits(model.project)[number]["val"] for number in FOLDS
    ]
    mean, deviation = np.mean([[part.mean(), part.std(ddof=0)] for part in parts], axis=0)
    own = parts[fold]
    score = mean + deviation * (own - own.mean()) / own.std(ddof=0)
    folder = fold_folder(model, "RadioDeepMTS", fold)
    features = fold_folder(model, "AdaMSSSegTrainer", fold) / "radiomics_folder_masks_of_DeepMTSTrainer.csv"
    expected = by_hand(model, FittedModel.load(folder), score, features)
    np.testing.assert_allclose(risks(folder)[score.index], expected, rtol=1e-6)
    for number, part in enumerate(parts):
        for case_id in part.index:
            name = f"{case_id}.nii.gz"
            original = fold_folder(model, "DeepMTSTrainer", number) / "validation" / "masks" / name
            assert (folder.parent / "masks_of_DeepMTSTrainer" / name).read_bytes() == original.read_bytes()


@pytest.mark.parametrize("fold", FOLDS)
def test_deepmtlr_cox_continues_with_the_same_fold(model: TrainedModel, fold: int) -> None:
    deep = fold_folder(model, "DeepMTLRTrainer", fold)
    in_sample, left_out = risks(deep, "training_predictions.csv"), risks(deep)
    assert sorted(in_sample.index) == splits(model.project)[fold]["train"]
    folder = fold_folder(model, "DeepMTLRCoxPH", fold)
    one = FittedModel.load(folder)
    assert one.model.to_dict()["weights"][-1] == pytest.approx(1 / (2 * in_sample.std(ddof=0)))
    np.testing.assert_allclose(risks(folder)[left_out.index], by_hand(model, one, left_out, None), rtol=1e-6)
    assert one.mean_risk == pytest.approx(np.mean(by_hand(model, one, in_sample, None)))


def test_new_patients_of_deepmtlr_cox_have_the_risk_of_the_validation(
    model: TrainedModel, tmp_path: Path
) -> None:
    cases = model.validation_cases(0)
    request = PredictionRequest(
        model_folder=fold_folder(model, "DeepMTLRTrainer", 0).parent,
        images=model.images(cases, tmp_path / "images"),
        output=tmp_path / "out",
        folds=[0],
        checkpoint_name="checkpoint_final.pth",
        device="cpu",
        clinical_csv=model.clinical,
    )
    assert predict_patients(request).failed == {}
    table = pd.read_csv(model.clinical, dtype=str)
    table[table["case_id"].isin(cases)].to_csv(tmp_path / "clinical.csv", index=False)
    inputs = PatientInputs(
        clinical=tmp_path / "clinical.csv", deep_predictions=tmp_path / "out" / "survival_predictions.csv"
    )
    folder = fold_folder(model, "DeepMTLRCoxPH", 0)
    found, one = predict_statistical(folder.parent, [0], inputs), FittedModel.load(folder)
    expected = (risks(folder)[list(found.case_ids)] - one.mean_risk) / one.risk_deviation
    np.testing.assert_allclose(found.risk_score, expected, rtol=1e-4, atol=1e-4)
    # By the best epoch's weights the same patients are refused.
    second = tmp_path / "second"
    predict_patients(replace(request, output=second, checkpoint_name="checkpoint_best.pth"))
    with pytest.raises(ValueError, match="is of checkpoint checkpoint_best.pth"):
        predict_statistical(
            folder.parent, [0], replace(inputs, deep_predictions=second / "survival_predictions.csv")
        )
