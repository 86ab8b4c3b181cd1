"""``adamss_fit_statistical`` as a user types it."""

import json

import pandas as pd
import pytest

from nnunetv2_adamss.cli import fit_statistical
from tests.survival_project import DATASET
from tests.trained_model import TrainedModel

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]


@pytest.fixture
def model(statistical_model: TrainedModel) -> TrainedModel:
    return statistical_model


def typed(*options: str, fold: str = "0", method: str = "TumourVolume") -> int:
    given = ["902", "3d_fullres", fold, "-tr", method, "-device", "cpu", *options]
    return fit_statistical.main(given)


def refusal(capsys: pytest.CaptureFixture[str], *options: str, **changes: str) -> str:
    capsys.readouterr()
    assert typed(*options, **changes) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("adamss_fit_statistical: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_tumour_volume_lies_where_trainings_do_and_is_fitted_again_on_demand(
    model: TrainedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed("--disable_tta", "--overwrite", "--seed", "7", fold="1") == 0
    assert "C-index" in capsys.readouterr().out
    folder = model.results / DATASET / "TumourVolume__nnUNetPlans__3d_fullres" / "fold_1"
    predictions = pd.read_csv(folder / "validation" / "survival_predictions.csv")
    assert sorted(predictions["case_id"]) == model.validation_cases(1)
    summary = json.loads((folder / "survival_summary.json").read_text())
    assert (summary["trainer"], summary["fold"]) == ("TumourVolume", 1)
    assert summary["settings"]["seed"] == 7 and summary["settings"]["mirroring"] is False
    assert "fit again with --overwrite" in refusal(capsys, "--disable_tta", fold="1")


def test_what_a_method_needs_and_is_not_there_is_one_sentence(
    model: TrainedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "AdaMSSSegTrainer_ShortSchedule" in refusal(
        capsys, "-seg_tr", "AdaMSSSegTrainer_ShortSchedule", "--overwrite"
    )
    assert "fold 0 is not trained to the end" in refusal(
        capsys, "--deep_trainer", "DeepMTLRTrainer_ShortSchedule", method="DeepMTLRCoxPH"
    )
    assert "starts from DeepMTSTrainer or a variant of it" in refusal(
        capsys, "--deep_trainer", "TMSSTrainer", method="RadioDeepMTS"
    )
    assert "nowhere.csv" in refusal(capsys, "--survival_csv", "nowhere.csv", "--overwrite")
    assert "splits_final.json" in refusal(capsys, fold="7")


@pytest.mark.parametrize(
    ("fold", "method", "options", "message"),
    [
        ("all", "LassoCoxPH", [], "fold all leaves no cases to evaluate a method on"),
        ("first", "LassoCoxPH", [], "the fold must be a number or all, not first"),
        ("0", "ICARE", ["--deep_trainer", "TMSSTrainer"], "ICARE starts from no network"),
        ("0", "LassoCoxPH", ["--mask_source", "predicted"], "LassoCoxPH uses the reference masks"),
        (
            "0",
            "RadioDeepMTS",
            ["--masks", "masks"],
            "RadioDeepMTS uses the masks of DeepMTSTrainer",
        ),
        ("0", "SUVmax", ["--mask_source", "predicted", "--masks", "masks"], "exclude each other"),
        ("0", "cox", [], "invalid choice: 'cox'"),
    ],
)
def test_impossible_options_are_refused_before_anything_is_read(
    fold: str, method: str, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        typed(*options, fold=fold, method=method)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_an_unknown_data_set_is_one_sentence(model: TrainedModel, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert fit_statistical.main(["903", "3d_fullres", "0", "-tr", "ICARE", "-device", "cpu"]) == 2
    assert "'903' is neither the name nor the id of one data set" in capsys.readouterr().err
