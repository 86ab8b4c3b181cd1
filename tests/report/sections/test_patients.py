"""Pages of validation patients and of new ones."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from matplotlib.figure import Figure

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.display.blocks import Facts, Notice, Picture, Section, Table
from nnunetv2_adamss.display.charts import Chart
from nnunetv2_adamss.metrics.volume_and_uptake import TumourMeasures
from nnunetv2_adamss.report.out_of_fold import OutOfFold
from nnunetv2_adamss.report.predicted_patients import NewPatients
from nnunetv2_adamss.report.sections.new_patients import overview, prediction_facts
from nnunetv2_adamss.report.sections.patient_survival import survival_chart, survival_table
from nnunetv2_adamss.report.sections.patient_tumour import tumour_chart, tumour_table
from nnunetv2_adamss.report.sections.patients import patient_pages
from nnunetv2_adamss.report.sections.validation_patients import validation_background, validation_patients
from nnunetv2_adamss.report.shown_patient import Background, Patient
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from tests.finished_project import DATASET, SEG_TRAINER, model_folder, write_prediction
from tests.nnunet_project import NnunetProject
from tests.report.content import flat


def pages_of(found: OutOfFold, patients: Sequence[Patient]) -> list[Section]:
    blocks = patient_pages(patients, validation_background(found))
    return [block for block in blocks if isinstance(block, Section)]


def facts_of(section: Section) -> dict[str, str]:
    return dict(row for b in flat(section.blocks) if isinstance(b, Facts) for row in b.rows)


def test_patients_are_taken_evenly_from_the_highest_to_the_lowest_rank(source: CrossValidation) -> None:
    found = OutOfFold(source)
    patients = validation_patients(found, 6)
    ranks = [int(dict(p.facts)["Rank of risk in that fold"].split()[0]) for p in patients]
    assert len({p.case_id for p in patients}) == 6
    assert ranks == sorted(ranks)
    assert (ranks[0], ranks[-1]) == (1, 8)
    assert len(validation_patients(found, 1000)) == 24
    assert validation_patients(found, 0) == []


def test_a_page_shows_curve_outcome_and_covariates(source: CrossValidation) -> None:
    found = OutOfFold(source)
    (patient,) = validation_patients(found, 1)
    (page,) = pages_of(found, [patient])
    time, event = source.table.outcomes.loc[patient.case_id, ["time", "event"]]
    assert facts_of(page)["What happened"].startswith("event after" if event else "no event up to")
    assert f"{time:.4g} days" in facts_of(page)["What happened"]
    curve, cuts, tumours = (block for block in flat(page.blocks) if isinstance(block, Picture))
    assert "Uncalibrated" in curve.caption
    assert cuts.description.startswith(f"{patient.case_id}: CT, axial")
    assert tumours.description.startswith("SUVmax")
    tables = {block.caption: block for block in flat(page.blocks) if isinstance(block, Table)}
    caption = "Predicted event-free probability (event: simulated event (synthetic))"
    assert list(tables) == [caption, "Covariates, as measured", "Tumour"]
    assert "age" in [row[0].split()[0] for row in tables["Covariates, as measured"].rows]


def test_a_tumour_stands_beside_those_of_the_cohort(source: CrossValidation) -> None:
    found = OutOfFold(source)
    volumes = {case_id: tumour.volume_ml for case_id, tumour in found.tumours.items()}
    largest = max(volumes, key=lambda case_id: volumes[case_id])
    (patient,) = [p for p in validation_patients(found, 24) if p.case_id == largest]
    (page,) = pages_of(found, [patient])
    (table,) = [b for b in flat(page.blocks) if isinstance(b, Table) and b.caption == "Tumour"]
    rows = {row[0]: row[1:] for row in table.rows}
    assert list(rows) == ["SUVmax", "SUVmean", "MTV (ml)", "TLG", "Lesions"]
    median, lower, upper = np.quantile(list(volumes.values()), [0.5, 0.25, 0.75])
    cohort = f"{median:.3g} ({lower:.3g} to {upper:.3g})"
    assert rows["MTV (ml)"] == [f"{volumes[largest]:.3g}", cohort, "96%"]
    (picture,) = [
        b for b in flat(page.blocks) if isinstance(b, Picture) and b.description.startswith("SUVmax")
    ]
    assert "cohort (grey) of 24 patients" in picture.caption


def test_without_the_cohorts_images_a_tumour_stands_alone(
    project: NnunetProject, source: CrossValidation, new: NewPatients
) -> None:
    images = project.root / "images"
    shutil.move(project.raw / DATASET / "imagesTr", images)
    file = new.folder / "prediction.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"images": str(images)}))
    page = next(patient_pages(new.pages, new.background(OutOfFold(source))))
    (table,) = [b for b in flat(page.blocks) if isinstance(b, Table) and b.caption == "Tumour"]
    assert table.header == ["Measure", "Patient"]
    assert "no cohort to compare with" in table.notes[1] and "can be read" in table.notes[1]


def test_a_broken_image_is_said_on_its_page_and_the_other_pages_stand(
    project: NnunetProject, source: CrossValidation
) -> None:
    found = OutOfFold(source)
    patients = validation_patients(found, 3)
    patients[1].find_channels()[0].file.write_bytes(b"no image")
    pages = pages_of(found, patients)
    notices = [[b.text for b in page.blocks if isinstance(b, Notice)] for page in pages]
    assert notices[0] == notices[2] == []
    assert "cannot be read as an image" in notices[1][0]
    assert "What happened" in facts_of(pages[1])


def test_without_its_table_a_cohort_is_missing_and_new_patients_are_shown(
    project: NnunetProject, source: CrossValidation, new: NewPatients
) -> None:
    (project.raw / DATASET / "survival.csv").unlink()
    background = new.background(OutOfFold(source))
    table = survival_table(new.pages[0], background)
    assert isinstance(table, Table)
    assert table.header == ["After", "Event-free", "Range of 3 folds"]
    assert "survival.csv" in table.notes[0]
    assert "(grey)" not in survival_chart(new.pages[0], background).caption
    assert len(list(patient_pages(new.pages, background))) == 4


def test_a_validation_patient_whose_image_is_gone_has_a_page_without_it(
    project: NnunetProject, source: CrossValidation
) -> None:
    found = OutOfFold(source)
    patients = validation_patients(found, 2)
    for file in (project.raw / DATASET / "imagesTr").glob(f"{patients[0].case_id}_*"):
        file.unlink()
    gone, there = pages_of(found, patients)
    assert [b.text for b in gone.blocks if isinstance(b, Notice)]
    assert "What happened" in facts_of(gone)
    assert not [b for b in there.blocks if isinstance(b, Notice)]
    assert len(found.tumours) == 23


def test_an_empty_mask_has_no_uptake_and_none_enters_the_cohorts() -> None:
    full = TumourMeasures(volume_ml=10.0, n_lesions=1, suv_max=8.0, suv_mean=4.0)
    empty = TumourMeasures(volume_ml=0.0, n_lesions=0, suv_max=0.0, suv_mean=0.0)
    background = Background("days", tumours=[full, replace(full, suv_max=6.0), empty])
    rows = {row[0]: list(row[1:]) for row in tumour_table(full, background).rows}
    assert rows["SUVmax"] == ["8", "7 (6.5 to 7.5)", "50%"]
    assert rows["MTV (ml)"] == ["10", "10 (5 to 10)", "33%"]
    assert "3 patients 1 have an empty mask" in tumour_table(full, background).notes[1]
    assert [row[0] for row in tumour_table(empty, background).rows] == ["MTV (ml)", "TLG", "Lesions"]
    nowhere = tumour_table(full, replace(background, tumours=[empty]))
    assert list(nowhere.rows[0]) == ["SUVmax", "8", "\u2013", "\u2013"]
    tumour_chart(full, [empty])


def test_ignored_voxels_are_no_tumour_of_a_patient(source: CrossValidation, new: NewPatients) -> None:
    page = new.pages[0]
    mask = sitk.ReadImage(str(page.mask))
    labels = sitk.GetArrayFromImage(mask)
    labels[0] = 9
    ignored = sitk.GetImageFromArray(labels)
    ignored.CopyInformation(mask)
    sitk.WriteImage(ignored, str(page.mask))
    file = new.folder / "prediction.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"ignore_label": 9}))
    again = NewPatients(new.folder)
    (section, *_) = patient_pages(again.pages, again.background(OutOfFold(source)))
    (table,) = [b for b in flat(section.blocks) if isinstance(b, Table) and b.caption == "Tumour"]
    shown = {row[0]: row[1] for row in table.rows}["MTV (ml)"]
    voxels = ((labels > 0) & (labels < 9)).sum() * np.prod(mask.GetSpacing()) / 1000
    assert shown == f"{voxels:.3g}"


def test_a_warning_spells_a_column_as_the_table_does(new: NewPatients) -> None:
    table = pd.read_csv(new.folder / "survival_predictions.csv")
    table["warnings"] = "age is not known and was imputed; imputed features: PET_mean"
    table.to_csv(new.folder / "survival_predictions.csv", index=False)
    assert list(new.pages[0].warnings) == [
        "age is not known and was imputed.",
        "Imputed features: PET_mean.",
    ]


def test_categories_that_pandas_takes_for_something_else_are_shown_as_they_stand(new: NewPatients) -> None:
    case_id = new.pages[0].case_id
    (new.folder / "covariates.csv").write_text(
        f"case_id,alcohol,code,smoking,PET_mean,hpv\n{case_id},None,007,unknown,2.54321,\n"
    )
    again = NewPatients(new.folder)
    shown = {page.case_id: page.covariates for page in again.pages}[case_id]
    assert list(shown.values()) == ["None", "007", "unknown", "2.543", "\u2013 (missing)"]


def test_a_fold_that_was_trained_again_since_the_prediction_is_named(
    source: CrossValidation, new: NewPatients
) -> None:
    file = new.folder / "prediction.json"
    known = {f"fold {fold.number}": sha256_of(fold.folder / "checkpoint_final.pth") for fold in source.folds}
    content = json.loads(file.read_text()) | {"checkpoint": "checkpoint_final.pth"}
    file.write_text(json.dumps(content | {"checkpoints_sha256": known}))
    assert NewPatients(new.folder).folds_trained_since(source) == []
    file.write_text(json.dumps(content | {"checkpoints_sha256": known | {"fold 1": "of before"}}))
    notice = next(iter(prediction_facts(source, NewPatients(new.folder))))
    assert isinstance(notice, Notice)
    assert "Fold 1 was trained again" in notice.text


def test_selected_features_are_shown_as_they_were_measured(
    project: NnunetProject, source: CrossValidation
) -> None:
    for number, fold in enumerate(source.folds):
        table = pd.DataFrame({"PET_mean": 2.5, "CT_mean": 40.0}, index=source.table.clinical.index)
        table.to_csv(model_folder(project, SEG_TRAINER) / f"fold_{number}" / "radiomics_predicted.csv")
        fold.summary["covariates"]["feature_selection"] = {"selected": [{"feature": "PET_mean"}]}
    (patient,) = validation_patients(OutOfFold(source), 1)
    assert patient.covariates["PET_mean (used by the network)"] == "2.5"
    assert "CT_mean" not in " ".join(patient.covariates)


def test_a_missing_value_is_said_to_be_missing(source: CrossValidation) -> None:
    found = OutOfFold(source)
    clinical = source.table.clinical
    case_id = clinical.index[clinical["age"].isna()][0]
    (patient,) = [p for p in validation_patients(found, 24) if p.case_id == case_id]
    (value,) = [v for name, v in patient.covariates.items() if name.startswith("age")]
    assert value.endswith("(missing)")


@pytest.fixture
def new(project: NnunetProject) -> NewPatients:
    return NewPatients(project.root / "OUT")


def test_new_patients_come_by_risk_with_their_warnings_and_spread(
    new: NewPatients, source: CrossValidation
) -> None:
    pages = new.pages
    table = pd.read_csv(new.folder / "survival_predictions.csv")
    by_risk = table.sort_values("risk_score", ascending=False)
    assert [page.case_id for page in pages] == list(by_risk["case_id"])
    assert [page.predicted_time_sd for page in pages] == list(by_risk["predicted_time_sd"])
    assert pages[0].warnings == ["No tumour found by fold 1.", "The folds disagree."]
    assert dict(pages[0].facts) == {
        "Risk group": "high", "Rank of risk among these patients": "1 of 4 (1 = highest)",
    }  # fmt: skip
    assert pages[0].covariates == {"age": "61.5"}
    sections = list(patient_pages(pages, new.background(OutOfFold(source))))
    assert [len([b for b in flat(s.blocks) if isinstance(b, Picture)]) for s in sections] == [3] * 4


def test_probabilities_reach_as_far_as_the_curve_with_the_lowest_and_the_highest_fold(
    new: NewPatients, source: CrossValidation
) -> None:
    """The curves are exponential: at 1 year the hazard since 200 days is that of each fold."""
    background = new.background(OutOfFold(source))
    patient = next(page for page in new.pages if page.case_id == min(p.case_id for p in new.pages))
    table = survival_table(patient, background)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["1 year", "2 years"]
    assert table.header[2] == "Range of 3 folds"
    expected = [np.exp(-365.25 / days) for days in (700, 600, 800)]
    assert table.rows[0][1:3] == (f"{expected[0]:.0%}", f"{expected[1]:.0%} to {expected[2]:.0%}")
    assert background.cohort is not None
    observed = background.cohort.observed.at(np.array([730.5]))[0, 0]
    assert table.rows[1][3] == f"{observed:.0%}"
    assert table.notes[1:] == [
        "The curve ends at 1000 days.",
        "Predicted by folds 0, 1, 2 of AdaMSSSurvTrainer.",
    ]
    assert "thin: each fold alone" in survival_chart(patient, background).caption
    short = survival_table(replace(patient, times=patient.times / 10), background)
    assert isinstance(short, Notice)
    assert short.text.startswith("The curve ends at 100 days, before the first year")
    followed = replace(background.cohort, time=np.minimum(background.cohort.time, 300))
    short = survival_table(patient, replace(background, cohort=followed, remarks=["Uncalibrated."]))
    assert isinstance(short, Notice)
    assert "follow-up of the model's own 24 patients ends at 300 days" in short.text
    assert short.text.endswith("Uncalibrated.")


def test_a_patient_who_was_seen_after_the_curves_end_is_drawn_there(
    new: NewPatients, source: CrossValidation, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(Chart, "picture", lambda chart, *_: drawn.append(chart.figure))
    patient = replace(new.pages[0], outcome=(2500.0, False))
    survival_chart(patient, new.background(OutOfFold(source)))
    (axes,) = drawn[0].axes
    (last_seen,) = [line for line in axes.get_lines() if str(line.get_label()).startswith("last seen")]
    assert list(last_seen.get_xdata()) == [2500, 2500]
    assert patient.last_time < 2500 < axes.get_xlim()[1]


def test_a_prediction_that_kept_no_curves_of_folds_has_no_spread_of_them(
    new: NewPatients, source: CrossValidation
) -> None:
    (new.folder / "survival_by_fold.csv").unlink()
    table = survival_table(new.pages[0], new.background(OutOfFold(source)))
    assert isinstance(table, Table)
    assert table.header == ["After", "Event-free", "Cohort"]
    assert "predict again" in " ".join(table.notes)


def test_patients_without_a_prediction_are_listed_with_the_reason(
    source: CrossValidation, new: NewPatients
) -> None:
    (table,) = [block for block in prediction_facts(source, new) if isinstance(block, Table)]
    assert [list(row) for row in table.rows] == [["lost_case", "its PET is missing"]]
    (everybody,) = overview(new)
    assert isinstance(everybody, Table)
    assert everybody.rows[0][-1] == "No tumour found by fold 1. The folds disagree."


def test_uncalibrated_predictions_are_marked_and_can_be_evaluated_all_the_same(
    project: NnunetProject, source: CrossValidation, new: NewPatients
) -> None:
    table = pd.read_csv(new.folder / "survival_predictions.csv")
    table.assign(risk_group="", predicted_time_sd=None).to_csv(
        new.folder / "survival_predictions.csv", index=False
    )
    file = new.folder / "prediction.json"
    content = json.loads(file.read_text()) | {"calibrated": False, "risk_threshold": None}
    file.write_text(json.dumps(content))
    evaluated = replace(new, survival_csv=project.raw / DATASET / "survival.csv")
    notices = [b.text for b in prediction_facts(source, evaluated) if isinstance(b, Notice)]
    assert "not calibrated" in notices[0]
    assert "Risk group" not in dict(evaluated.pages[0].facts)
    assert evaluated.evaluation.risk_groups.groups == []
    assert evaluated.evaluation.harrell_c.n_pairs > 0


def test_outcomes_of_new_patients_are_held_against_the_predictions(
    project: NnunetProject, new: NewPatients
) -> None:
    evaluated = replace(new, survival_csv=project.raw / DATASET / "survival.csv")
    assert evaluated.evaluation.cohort.n_patients == 4
    assert {c.name for c in evaluated.evaluation.comparisons} == {"Tumour volume", "SUVmax"}
    assert all(page.outcome is not None for page in evaluated.pages)


def test_without_their_images_new_patients_are_evaluated_without_measures_of_the_tumour(
    project: NnunetProject, new: NewPatients
) -> None:
    shutil.rmtree(new.folder / "masks")
    evaluated = replace(new, survival_csv=project.raw / DATASET / "survival.csv").evaluation
    assert evaluated.harrell_c.n_pairs > 0
    assert evaluated.comparisons == []
    assert any("do not stand beside the model" in note for note in evaluated.notes)


def test_new_patients_who_are_all_event_free_are_shown_and_have_no_c_index(
    project: NnunetProject, new: NewPatients
) -> None:
    table = pd.read_csv(project.raw / DATASET / "survival.csv", dtype=str).assign(event="0")
    table.to_csv(project.root / "censored.csv", index=False)
    evaluated = replace(new, survival_csv=project.root / "censored.csv")
    assert len(evaluated.pages) == 4
    assert evaluated.evaluation.cohort.n_events == 0


def test_outcomes_in_another_unit_are_refused(
    project: NnunetProject, source: CrossValidation, new: NewPatients
) -> None:
    folder = project.root / "months"
    folder.mkdir()
    shutil.copy(project.raw / DATASET / "survival.csv", folder)
    (folder / "survival.json").write_text('{"time_unit": "months"}')
    in_months = replace(new, survival_csv=folder / "survival.csv")
    with pytest.raises(ValueError, match="predicts in days, but .* is in months"):
        in_months.check(source)
    with pytest.raises(ValueError, match="predicts in days, but .* is in months"):
        _ = in_months.pages


def test_a_folder_without_predictions_or_of_another_model_is_refused(
    project: NnunetProject, source: CrossValidation, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="no survival_predictions.csv and no prediction.json"):
        NewPatients(tmp_path).check(source)
    folder = write_prediction(project, tmp_path / "other")
    NewPatients(folder).check(source)
    content = json.loads((folder / "prediction.json").read_text()) | {"configuration": "3d_lowres"}
    (folder / "prediction.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="another model"):
        NewPatients(folder).check(source)
