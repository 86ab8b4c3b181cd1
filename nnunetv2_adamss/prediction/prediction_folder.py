"""Folder of a prediction: masks, a file for every finished patient, and tables at the end."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.common.json_object import FAULTS, read_object
from nnunetv2_adamss.prediction.patient_prediction import PatientPrediction

logger = logging.getLogger(__name__)

_Kept = TypeVar("_Kept")

PREDICTIONS_FILE = "survival_predictions.csv"
FOLD_CURVES_FILE = "survival_by_fold.csv"
RADIOMICS_FILE = "radiomics.csv"
COVARIATES_FILE = "covariates.csv"
PROVENANCE_FILE = "prediction.json"
MASKS = "masks"


@dataclass(frozen=True)
class MaskFiles:
    """Mask files of a case.

    Args:
        ensemble: of all folds together.
        by_fold: of each single fold; the same file if there is only one fold.
    """

    ensemble: Path
    by_fold: Mapping[int | str, Path]

    @classmethod
    def below(cls, root: Path, name: str, folds: Sequence[int | str]) -> "MaskFiles":
        """Return the files of this name in the folders of a prediction."""
        ensemble = root / MASKS / name
        if len(folds) == 1:
            return cls(ensemble, {folds[0]: ensemble})
        return cls(ensemble, {fold: root / "masks_by_fold" / f"fold_{fold}" / name for fold in folds})


@dataclass(frozen=True)
class PredictionFolder:
    """All files of a prediction.

    Results of a patient count only if they are of the same model, images, masks and covariates.

    Args:
        root: the folder; several processes may predict parts into it.
        file_ending: of masks.
        made_by: model and options, as plain data.
        made_from: other inputs of each patient's prediction, by ``case_id``, as plain data.
    """

    root: Path
    file_ending: str
    made_by: Mapping[str, Any]
    made_from: Mapping[str, Mapping[str, Any]]

    def mask_files(self, case_id: str, folds: Sequence[int | str]) -> MaskFiles:
        """Return the mask files of a case."""
        return MaskFiles.below(self.root, case_id + self.file_ending, folds)

    def discard(self, case_ids: Iterable[str]) -> None:
        """Remove results of these patients, and the tables, which are written again at the end."""
        for case_id in case_ids:
            self._case_file(case_id).unlink(missing_ok=True)
        for name in (PREDICTIONS_FILE, FOLD_CURVES_FILE, RADIOMICS_FILE, COVARIATES_FILE, PROVENANCE_FILE):
            (self.root / name).unlink(missing_ok=True)

    def keep(self, prediction: PatientPrediction) -> None:
        """Save a finished patient; this file is written after all others of the patient."""
        self._write(prediction.case_id, {"prediction": prediction.to_dict()})

    def keep_failure(self, case_id: str, reason: str) -> None:
        """Save the reason why a patient could not be predicted."""
        self._write(case_id, {"failed": reason})

    def predictions(self) -> dict[str, PatientPrediction]:
        """Read the finished patients, by ``case_id``; one with a damaged file is not finished."""
        return self._read("prediction", PatientPrediction.from_dict)

    def failures(self) -> dict[str, str]:
        """Read the reasons why patients could not be predicted, by ``case_id``."""
        return self._read("failed", str)

    def _read(self, key: str, parse: Callable[[Any], _Kept]) -> dict[str, _Kept]:
        found = {}
        for case_id in sorted(self.made_from):
            content = self._content(case_id)
            if key not in content or content.get("made") != self._made(case_id):
                continue
            try:
                found[case_id] = parse(content[key])
            except FAULTS as error:
                self._warn(case_id, error)
        return found

    def _content(self, case_id: str) -> dict[str, Any]:
        """Read the content of a patient's file; empty if there is none, or only a damaged one."""
        try:
            return read_object(self._case_file(case_id))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            self._warn(case_id, error)
            return {}

    def _warn(self, case_id: str, error: Exception) -> None:
        logger.warning(
            "%s is damaged, so %s counts as not predicted yet (%s).", self._case_file(case_id), case_id, error
        )

    def _write(self, case_id: str, content: Mapping[str, Any]) -> None:
        write_json(self._case_file(case_id), {"made": self._made(case_id), **content}, indent=1)

    def _made(self, case_id: str) -> dict[str, Any]:
        return {"by": self.made_by, "from": self.made_from[case_id]}

    def _case_file(self, case_id: str) -> Path:
        return self.root / "cases" / f"{case_id}.json"
