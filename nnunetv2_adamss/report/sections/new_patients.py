"""Patients that ``adamss_predict_survival`` predicted, evaluated if their outcomes are known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.common.progress import Progress, silent
from nnunetv2_adamss.common.tables.csv_text import read_csv
from nnunetv2_adamss.display.blocks import Block, Facts, Notice, Table
from nnunetv2_adamss.display.words import NONE, count, sentence, significant
from nnunetv2_adamss.evaluation.evaluate import EvaluationSettings, evaluate
from nnunetv2_adamss.evaluation.evaluated_patients import Patients, match
from nnunetv2_adamss.evaluation.evaluation import Evaluation
from nnunetv2_adamss.evaluation.prediction_files import read_predictions
from nnunetv2_adamss.prediction.prediction_folder import (
    COVARIATES_FILE,
    FOLD_CURVES_FILE,
    MASKS,
    PREDICTIONS_FILE,
    PROVENANCE_FILE,
)
from nnunetv2_adamss.prediction.provenance_file import OF_REPORT, read_provenance
from nnunetv2_adamss.report.out_of_fold import OutOfFold
from nnunetv2_adamss.report.patient_volumes import Channel, channels_of
from nnunetv2_adamss.report.sections.baselines import image_baselines, measure_tumours
from nnunetv2_adamss.report.sections.validation_patients import cohort_tumours, covariate_words
from nnunetv2_adamss.report.shown_patient import Background, Patient
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.predicted_curves import (
    CurvesByCase,
    read_fold_curves,
    read_predicted_curves,
)


@dataclass(eq=False)
class NewPatients:
    """Results of a prediction, with outcomes if there are any.

    Args:
        folder: of the prediction.
        survival_csv: outcomes, or None.
        progress: shows which images are read.
    """

    folder: Path
    survival_csv: Path | None = None
    progress: Progress = field(default=silent)

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """Content of ``prediction.json``."""
        return read_provenance(self.folder / PROVENANCE_FILE, *OF_REPORT)

    @cached_property
    def survival(self) -> SurvivalTable | None:
        """Table of the outcomes; a few new patients may well have no event."""
        if self.survival_csv is None:
            return None
        return read_survival_table(self.survival_csv, needs_events=False)

    @cached_property
    def patients(self) -> Patients:
        """Patients with predictions and outcomes.

        Raises:
            ValueError: if there are none.
        """
        if self.survival is None:
            raise ValueError(
                "No outcomes of the new patients are given; --survival_csv SURVIVAL.csv gives them."
            )
        patients = match(read_predictions([self.folder / PREDICTIONS_FILE]), self.survival)
        unit = self.provenance["time_unit"]
        if self.survival.description.time_unit != unit:
            raise ValueError(
                f"The model predicts in {unit}, but {self.survival.path} is in "
                f"{self.survival.description.time_unit}. Give a survival.json with the time_unit beside the table, "
                "and times in the model's unit."
            )
        return patients

    @cached_property
    def evaluation(self) -> Evaluation:
        """Evaluation of the predictions."""
        if self.survival is None:
            raise ValueError(
                "No outcomes of the new patients are given; --survival_csv SURVIVAL.csv gives them."
            )
        images = {
            case_id: (self._channels(case_id), self._mask(case_id)) for case_id in self.patients.case_ids
        }
        others = image_baselines(measure_tumours(images, self.progress))
        return evaluate(self.patients, self.survival, EvaluationSettings(), others=others)

    def check(self, source: CrossValidation) -> None:
        """Raise ValueError unless this is a prediction by this model, with at least one patient."""
        missing = [n for n in (PREDICTIONS_FILE, PROVENANCE_FILE) if not (self.folder / n).is_file()]
        if missing:
            raise ValueError(
                f"{self.folder} has no {' and no '.join(missing)}. --predictions is the output folder of "
                "adamss_predict_survival."
            )
        model = (source.dataset, source.trainer, source.plans_name, source.configuration)
        made_by = tuple(self.provenance[n] for n in ("dataset", "trainer", "plans", "configuration"))
        if made_by != model:
            raise ValueError(
                f"{self.folder} was predicted by another model ({', '.join(made_by)}) than this report is about "
                f"({', '.join(model)})."
            )

    def background(self, out_of_fold: OutOfFold) -> Background:
        """Return the cohort that the model was trained on."""
        table = out_of_fold.source.table
        time, event = table.time_and_event(list(table.outcomes.index))
        return Background(
            event, time, self.provenance["time_unit"], self.provenance["calibrated"],
            f"the model's own {len(time)} patients", cohort_tumours(out_of_fold),
        )  # fmt: skip

    def pages(self) -> Sequence[Patient]:
        """Return the patients of the pages, from the highest to the lowest risk."""
        curves = read_predicted_curves(self.folder / PREDICTIONS_FILE)
        predicted = self._rows(PREDICTIONS_FILE)
        has_covariates = (self.folder / COVARIATES_FILE).is_file()
        covariates = self._rows(COVARIATES_FILE) if has_covariates else {}
        by_risk = sorted(predicted, key=lambda case_id: -predicted[case_id]["risk_score"])
        return [
            Patient(
                case_id,
                self._channels(case_id),
                self._mask(case_id),
                curves.times,
                curves.survival_curve[curves.case_ids.index(case_id)],
                predicted[case_id]["predicted_time"],
                facts=_facts(predicted[case_id], rank, len(predicted)),
                covariates=covariate_words(covariates.get(case_id, {}), []),
                warnings=_warnings(predicted[case_id]),
                predicted_time_sd=predicted[case_id]["predicted_time_sd"],
                outcome=self._outcome(case_id),
                fold_curves=self._fold_curves(case_id, curves.times),
                why_no_fold_curves=self._why_no_fold_curves,
            )
            for rank, case_id in enumerate(by_risk, start=1)
        ]

    @cached_property
    def _folds(self) -> list[CurvesByCase]:
        """Curves of each fold; none if one fold predicted, or a version that did not keep them."""
        file = self.folder / FOLD_CURVES_FILE
        return read_fold_curves(file) if file.is_file() else []

    @property
    def _why_no_fold_curves(self) -> str:
        if len(self.provenance["folds"]) == 1:
            return "one fold predicts these patients"
        return "an earlier version predicted these patients and did not keep it; predict again"

    def _fold_curves(self, case_id: str, times: NDArray[np.float64]) -> NDArray[np.float64] | None:
        curves = [
            fold.at(times).survival_curve[fold.case_ids.index(case_id)]
            for fold in self._folds
            if case_id in fold.case_ids
        ]
        return np.stack(curves) if curves else None

    def _rows(self, name: str) -> dict[str, dict[str, Any]]:
        """Read the rows of a table by ``case_id``."""
        table = read_csv(self.folder / name, dtype={"case_id": str}).set_index("case_id")
        return {str(case_id): dict(row) for case_id, row in table.iterrows()}

    def _mask(self, case_id: str) -> Path:
        return self.folder / MASKS / f"{case_id}{self.provenance['file_ending']}"

    def _channels(self, case_id: str) -> list[Channel]:
        folder, ending = Path(self.provenance["images"]), self.provenance["file_ending"]
        names = channel_names(self.provenance)
        return channels_of(names, [folder / f"{case_id}_{n:04d}{ending}" for n in range(len(names))])

    def _outcome(self, case_id: str) -> tuple[float, bool] | None:
        if self.survival is None or case_id not in self.survival.outcomes.index:
            return None
        (time,), (event,) = self.survival.time_and_event([case_id])
        return float(time), bool(event)


def _facts(row: Mapping[str, Any], rank: int, n_patients: int) -> list[tuple[str, str]]:
    group = row.get("risk_group")
    known = [("Risk group", str(group))] if isinstance(group, str) and group else []
    return [*known, ("Rank of risk among these patients", f"{rank} of {n_patients} (1 = highest)")]


def _warnings(row: Mapping[str, Any]) -> list[str]:
    text = row.get("warnings")
    return [sentence(one) for one in text.split("; ")] if isinstance(text, str) and text else []


def prediction_facts(new: NewPatients) -> Iterator[Block]:
    """Show model and inputs of the predictions, and patients who could not be predicted."""
    made = new.provenance
    threshold = made["risk_threshold"]
    unit, last = made["time_unit"], max(made["times"])
    yield Facts(
        [
            ("Predicted by", f"folds {', '.join(map(str, made['folds']))}, {made['checkpoint']}"),
            ("Endpoint", made["endpoint"] or "not named"),
            ("Curves reach to", f"{significant(last, 4)} {unit}"),
            ("Images", str(made["images"])),
            ("High risk above a risk score of", "no threshold" if threshold is None else significant(threshold, 4)),
        ]
    )  # fmt: skip
    if not made["calibrated"]:
        yield Notice(
            "The curves are not calibrated: the order of patients holds, the height of the curves does not, and "
            f"there are no risk groups. `adamss_calibrate -d {made['dataset']} -c {made['configuration']} -tr "
            f"{made['trainer']} -p {made['plans']}` calibrates the model; then predict again.",
            is_caution=True,
        )
    failed = made["failed"]
    if failed:
        yield Notice(f"{count(len(failed), 'patient')} could not be predicted.", is_caution=True)
        yield Table("Not predicted", ["Patient", "Why"], list(failed.items()), is_prose=True)


def overview(new: NewPatients, pages: Sequence[Patient]) -> Iterator[Block]:
    """Show all patients in one table."""
    unit = new.provenance["time_unit"]
    rows = [
        [page.case_id, dict(page.facts).get("Risk group", NONE), significant(page.predicted_time, 4),
         significant(page.predicted_time_sd, 3), " ".join(page.warnings) or NONE]
        for page in pages
    ]  # fmt: skip
    yield Table(
        "From the highest to the lowest risk",
        ["Patient", "Risk", f"Predicted mean time ({unit})", "Spread between folds", "Warnings"],
        rows,
        [f"Mean time up to {significant(float(np.max(new.provenance['times'])), 4)} {unit}."],
        is_prose=True,
    )
