"""The folder that a prediction is written to: masks, a file for every finished patient, tables at the end."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnunetv2_adamss.prediction.patient_prediction import PatientPrediction
from nnunetv2_adamss.prediction.tumours import MaskFiles
from nnunetv2_adamss.survival.files import write_atomically

PREDICTIONS_FILE = "survival_predictions.csv"
RADIOMICS_FILE = "radiomics.csv"
COVARIATES_FILE = "covariates.csv"
PROVENANCE_FILE = "prediction.json"
MASKS = "masks"


@dataclass(frozen=True)
class PredictionFolder:
    """Where everything of a prediction lies.

    Args:
        root: the folder; several processes may predict parts into it.
        file_ending: of masks.
        made_from: what a prediction depends on beside the images, as plain data; what was made from something else is
            not used again.
    """

    root: Path
    file_ending: str
    made_from: Mapping[str, Any]

    def mask_files(self, case_id: str, folds: Sequence[int | str]) -> MaskFiles:
        """Where the masks of a case lie."""
        name = case_id + self.file_ending
        ensemble = self.root / MASKS / name
        if len(folds) == 1:
            return MaskFiles(ensemble, {folds[0]: ensemble})
        return MaskFiles(
            ensemble, {fold: self.root / "masks_by_fold" / f"fold_{fold}" / name for fold in folds}
        )

    def keep(self, prediction: PatientPrediction) -> None:
        """Keep a finished patient: with this file, everything of the patient is there."""
        self._write(prediction.case_id, {"prediction": prediction.to_dict()})

    def keep_failure(self, case_id: str, reason: str) -> None:
        """Keep why a patient could not be predicted."""
        self._write(case_id, {"failed": reason})

    def predictions(self) -> dict[str, PatientPrediction]:
        """All patients that are finished, by ``case_id``."""
        kept = self._read("prediction")
        return {case_id: PatientPrediction.from_dict(values) for case_id, values in kept.items()}

    def failures(self) -> dict[str, str]:
        """Why patients could not be predicted, by ``case_id``."""
        return self._read("failed")

    def _read(self, key: str) -> dict[str, Any]:
        files = sorted((self.root / "cases").glob("*.json"))
        contents = {file.name.removesuffix(".json"): json.loads(file.read_text("utf-8")) for file in files}
        return {
            case_id: content[key]
            for case_id, content in contents.items()
            if key in content and content["made_from"] == self.made_from
        }

    def _write(self, case_id: str, content: Mapping[str, Any]) -> None:
        file = self.root / "cases" / f"{case_id}.json"
        write_atomically(file, json.dumps({"made_from": self.made_from, **content}, indent=1))
