"""Patients that ``adamss_predict_survival`` predicted, with outcomes if they are known."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.progress import Progress, silent
from nnunetv2_adamss.common.tables.cell_values import is_missing
from nnunetv2_adamss.common.tables.csv_text import read_csv
from nnunetv2_adamss.common.tables.number_cells import reads_as_number
from nnunetv2_adamss.display.words import sentence
from nnunetv2_adamss.evaluation.evaluate import EvaluationSettings, evaluate
from nnunetv2_adamss.evaluation.evaluated_patients import Patients, match
from nnunetv2_adamss.evaluation.evaluation import Evaluation
from nnunetv2_adamss.evaluation.prediction_files import read_predictions
from nnunetv2_adamss.metrics.volume_and_uptake import TumourMeasures
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
from nnunetv2_adamss.report.sections.baselines import baselines_or_note, measure_tumours
from nnunetv2_adamss.report.sections.patient_survival import UNCALIBRATED
from nnunetv2_adamss.report.sections.validation_patients import cohort_tumours, covariate_words
from nnunetv2_adamss.report.shown_patient import Background, Cohort, Patient
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names, model_folder
from nnunetv2_adamss.survival.nnunet_data.dataset_json import ignore_label_of, read_dataset_json
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
        """Table of the outcomes; a few new patients may well have no event.

        Raises:
            ValueError: if it cannot be read, or its times are in another unit than the predictions.
        """
        if self.survival_csv is None:
            return None
        table = read_survival_table(self.survival_csv, needs_events=False)
        own, unit = table.description.time_unit, self.provenance["time_unit"]
        if own != unit:
            raise ValueError(
                f"The model predicts in {unit}, but {table.path} is in {own}. Give a survival.json with the time_unit "
                "beside the table, and times in the model's unit."
            )
        return table

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
        return match(read_predictions([self.folder / PREDICTIONS_FILE]), self.survival)

    @cached_property
    def evaluation(self) -> Evaluation:
        """Evaluation of the predictions."""
        if self.survival is None:
            raise ValueError(
                "No outcomes of the new patients are given; --survival_csv SURVIVAL.csv gives them."
            )
        others, notes = baselines_or_note(self._tumours)
        return evaluate(self.patients, self.survival, EvaluationSettings(), others=others, notes=notes)

    def _tumours(self) -> dict[str, TumourMeasures]:
        """Measure the tumours of the patients with an outcome."""
        images = {
            case_id: (partial(self._channels, case_id), self._mask(case_id))
            for case_id in self.patients.case_ids
        }
        return measure_tumours(images, self.progress, self._ignore_label)

    def check(self, source: CrossValidation) -> None:
        """Raise ValueError unless this is a prediction by this model, and outcomes, if given, are in its unit."""
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
        _ = self.survival

    def folds_trained_since(self, source: CrossValidation) -> list[str]:
        """Return the numbers of the folds whose checkpoints are not those that predicted."""
        predicted_by, name = self.provenance.get("checkpoints_sha256", {}), self.provenance["checkpoint"]
        return [
            str(number)
            for number in self.provenance["folds"]
            if (own := predicted_by.get(f"fold {number}")) is not None
            and (file := source.model_folder / f"fold_{number}" / name).is_file()
            and own != sha256_of(file)
        ]

    def background(self, out_of_fold: OutOfFold) -> Background:
        """Return the cohort that the model was trained on, as far as it can be read."""
        cohort, why_no_cohort = None, ""
        try:
            table = out_of_fold.source.table
            time, event = table.time_and_event(list(table.outcomes.index))
            cohort = Cohort(event, time, f"the model's own {len(time)} patients")
        except (ValueError, OSError) as error:
            why_no_cohort = f"There is no cohort to compare with. {error}"
        tumours, why_no_tumours = cohort_tumours(out_of_fold)
        return Background(
            self.provenance["time_unit"],
            self.provenance["endpoint"],
            cohort,
            why_no_cohort,
            tumours,
            why_no_tumours,
            self._ignore_label,
            f"{self.predicted_by} of {self.provenance['trainer']}",
            [] if self.provenance["calibrated"] else [UNCALIBRATED],
        )

    @property
    def _ignore_label(self) -> int | None:
        """The value of masks that is no tumour; predictions of earlier versions have that of the model."""
        made = self.provenance
        if "ignore_label" in made:
            label: int | None = made["ignore_label"]
            return label
        model = model_folder(made["dataset"], made["trainer"], made["plans"], made["configuration"])
        return ignore_label_of(read_dataset_json(model / "dataset.json"))

    @cached_property
    def pages(self) -> Sequence[Patient]:
        """Patients of the pages, from the highest to the lowest risk."""
        curves = read_predicted_curves(self.folder / PREDICTIONS_FILE)
        predicted = self._rows(PREDICTIONS_FILE)
        covariates = self._covariates()
        by_risk = sorted(predicted, key=lambda case_id: -predicted[case_id]["risk_score"])
        return [
            Patient(
                case_id,
                partial(self._channels, case_id),
                self._mask(case_id),
                curves.times,
                curves.survival_curve[curves.case_ids.index(case_id)],
                predicted[case_id]["predicted_time"],
                facts=_facts(predicted[case_id], rank, len(predicted)),
                covariates=covariate_words(covariates.get(case_id, {}), []),
                warnings=_warnings(predicted[case_id], covariates.get(case_id, {})),
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
    def predicted_by(self) -> str:
        """Folds that predicted, in words."""
        folds = self.provenance["folds"]
        return f"fold{'s' if len(folds) > 1 else ''} {', '.join(map(str, folds))}"

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

    def _covariates(self) -> dict[str, dict[Any, float | str | None]]:
        """Read each patient's covariates; pandas would take a category such as None or 007 for something else."""
        file = self.folder / COVARIATES_FILE
        if not file.is_file():
            return {}
        table = read_csv(file, dtype=str, keep_default_na=False).set_index("case_id")
        return {
            str(case_id): {name: _value(text) for name, text in row.items()}
            for case_id, row in table.iterrows()
        }

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


def _value(text: str) -> float | str | None:
    """Turn a cell into what is shown: a measured number, a text as it stands, or None for a missing value."""
    if is_missing(pd.Series([text])).all():
        return None
    return float(text) if "." in text and reads_as_number(text) else text


def _facts(row: Mapping[str, Any], rank: int, n_patients: int) -> list[tuple[str, str]]:
    group = row.get("risk_group")
    known = [("Risk group", str(group))] if isinstance(group, str) and group else []
    return [*known, ("Rank of risk among these patients", f"{rank} of {n_patients} (1 = highest)")]


def _warnings(row: Mapping[str, Any], names: Container[str]) -> list[str]:
    """Return warnings as sentences; one that begins with the name of a covariate keeps its spelling."""
    text = row.get("warnings")
    warnings = text.split("; ") if isinstance(text, str) and text else []
    return [f"{one}." if one.split(" ")[0] in names else sentence(one) for one in warnings]
