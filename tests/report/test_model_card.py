"""The model card beside an exported model, of a model that was trained for seconds on phantoms."""

from dataclasses import replace
from pathlib import Path

import pytest

from nnunetv2_adamss.cli import export_model
from nnunetv2_adamss.prediction.calibration import Calibration
from nnunetv2_adamss.prediction.calibration_files import write_model_calibrations
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from nnunetv2_adamss.report.model_card import write_model_card
from nnunetv2_adamss.report.sections.disclosure import disclosed
from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table
from tests.report.content import flat, words_of
from tests.trained_model import TrainedModel

# Of torch, when nnU-Net's trainers are imported.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:torch")

CHECKPOINT = "checkpoint_final.pth"


@pytest.fixture
def own(trained_model: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainedModel:
    """A copy whose files a test may replace."""
    copy = trained_model.linked_in(tmp_path / "results")
    copy.project.use(monkeypatch)
    monkeypatch.setenv("nnUNet_results", str(copy.results))
    return copy


@pytest.fixture
def model(own: TrainedModel) -> SurvivalModel:
    return SurvivalModel.load(own.folder, (0, 1), CHECKPOINT)


def card_of(model: SurvivalModel, folder: Path) -> str:
    write_model_card(folder / "phantoms.md", model)
    return (folder / "phantoms.md").read_text()


def test_the_command_writes_it_beside_the_zip(own: TrainedModel, tmp_path: Path) -> None:
    trainer = own.folder.name.split("__")[0]
    arguments = ["902", "3d_fullres", "-o", str(tmp_path / "phantoms.zip"), "-tr", trainer, "-f", "0", "1"]
    assert export_model.main([*arguments, "-chk", CHECKPOINT]) == 0
    card = (tmp_path / "phantoms.md").read_text()
    assert card.startswith("# Model card: phantoms\n")
    assert "not a medical device" in card
    assert "Images and outcomes are synthetic" in card


def test_it_has_the_cohort_and_the_results_of_the_folds(
    own: TrainedModel, model: SurvivalModel, tmp_path: Path
) -> None:
    card, table = card_of(model, tmp_path), read_survival_table(own.clinical)
    n_events = int(table.outcomes["event"].sum())
    assert f"- Events: {n_events} (" in card
    assert "Median follow-up" in card
    assert "| Fold 0 | 8 (" in card
    assert "Harrell's C" in card
    assert "- Patients with a prediction and an outcome: 8" in card
    assert "The curves are uncalibrated" in card
    assert "This section is not complete" not in card


def test_it_names_no_case_and_no_path(own: TrainedModel, model: SurvivalModel, tmp_path: Path) -> None:
    card = card_of(model, tmp_path)
    case_ids = read_survival_table(own.clinical).case_ids
    assert [word for word in (*case_ids, str(own.results), str(own.project.root)) if word in card] == []


def test_a_calibration_is_counted(own: TrainedModel, model: SurvivalModel, tmp_path: Path) -> None:
    times = tuple(map(float, model.times))
    calibration = Calibration(times, 1.0, (0.0,) * len(times), -100.0, 31, 12, "days")
    write_model_calibrations(own.folder, {CHECKPOINT: calibration})
    assert "- Calibrated: on 31 patients with 12 events" in card_of(
        replace(model, calibration=calibration), tmp_path
    )


def test_results_of_another_epoch_than_the_exported_one_are_marked(
    own: TrainedModel, model: SurvivalModel, tmp_path: Path
) -> None:
    other = replace(model, checkpoint_name="checkpoint_best.pth")
    sentence = "These are results of checkpoint_final.pth, but the zip has checkpoint_best.pth."
    assert sentence in card_of(other, tmp_path)
    assert sentence not in card_of(model, tmp_path)


def test_a_model_from_elsewhere_has_a_card_without_results(
    own: TrainedModel, model: SurvivalModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for summary in own.folder.glob("fold_*/survival_summary.json"):
        summary.unlink()
    card = card_of(model, tmp_path)
    assert "Harrell's C" not in card
    assert card.count("This section is not complete") == 3
    assert "12 case identifiers" in card
    assert "survival_summary.json" in caplog.text or "not trained to the end" in caplog.text


def test_outcomes_that_are_gone_cost_the_results_alone(
    own: TrainedModel, model: SurvivalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("nnUNet_raw", str(tmp_path / "elsewhere"))
    card = card_of(model, tmp_path)
    assert "| Fold 0 | 8 (" in card
    assert "Harrell's C" not in card
    assert "elsewhere" not in card


def words_about(model: SurvivalModel) -> str:
    return " ".join(map(words_of, flat(disclosed(model))))


def test_what_the_zip_discloses_is_what_the_checkpoints_hold(model: SurvivalModel) -> None:
    survival = model.first.survival
    said = words_about(model)
    assert "12 case identifiers" in said
    assert f"edges of up to {survival.config.n_intervals} intervals" in said
    assert f"({max(fold.survival.interval_edges[-1] for fold in model.folds):.6g} days)" in said
    ranged = {one.name for one in model.indicators if one.lowest is not None}
    assert ranged
    assert all(name in said for name in ranged | set(model.clinical_columns))
    assert f"{len(model.features)} features" in said
    assert "SHA-256 of description (survival.json), outcomes (survival.csv) and radiomics (" in said
    assert "Stage-I" not in said
    assert "Calibration |" not in said
    assert "Paths on the machine of the training | none" in said


def test_notes_on_columns_and_a_calibration_are_disclosed(model: SurvivalModel) -> None:
    survival = model.first.survival
    of_fit = [replace(survival.covariate_report, notes=notes) for notes in ((), ("'age' is left out.",))]
    without, with_notes = (
        words_about(
            replace(model, folds=(replace(model.first, survival=replace(survival, covariate_report=one)),))
        )
        for one in of_fit
    )
    assert "Notes on columns | none" in without
    assert "Notes on columns | names of columns that were imputed, merged or left out" in with_notes
    times = tuple(map(float, model.times))
    calibration = Calibration(times, 1.0, (0.0,) * len(times), -100.0, 31, 12, "days")
    assert "Calibration | numbers of cases and events" in words_about(replace(model, calibration=calibration))


def test_edges_that_were_given_and_absent_covariates_disclose_nothing(model: SurvivalModel) -> None:
    config = replace(
        model.first.survival.config, interval_edges=(0.0, 400.0, 800.0), survival_csv="/data/x.csv"
    )
    covariates = replace(
        model.first.survival.covariates,
        indicators=(),
        features=type(model.first.survival.covariates.features)(),
    )
    survival = replace(model.first.survival, config=config, covariates=covariates, sources={})
    bare = replace(model.first, survival=survival)
    said = words_about(replace(model, folds=(bare,)))
    assert "no time of a patient" in said
    assert "Clinical columns | none | Features | none" in said
    assert "Hashes of files | none" in said
    assert "of survival_csv" in said
