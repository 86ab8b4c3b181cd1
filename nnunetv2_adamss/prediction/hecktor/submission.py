"""Write submissions to HECKTOR's leaderboards: masks on the CTs' own grids, and a risk for each patient."""

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from nnunetv2_adamss.common.files import UNFINISHED, write_atomically
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.tables.csv_text import csv_text, read_csv
from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.datasets.conversion.conversion_folder import LOG_FILE
from nnunetv2_adamss.datasets.conversion.conversion_log import ct_grids_in
from nnunetv2_adamss.datasets.conversion.convert_patient import ENDING
from nnunetv2_adamss.prediction.hecktor.masks import write_on_grid
from nnunetv2_adamss.prediction.patient_images import find_patients
from nnunetv2_adamss.prediction.prediction_folder import MASKS, PREDICTIONS_FILE

SUBMISSION = "hecktor_submission"
# Titles of the names and the risks.
RISK_COLUMNS = ("PatientID", "Prediction")


@dataclass(frozen=True)
class Submission:
    """Writes a submission beside a prediction.

    Args:
        ct_grids: of the CTs as published, by ``case_id``.
    """

    ct_grids: Mapping[str, VoxelGrid]

    @classmethod
    def of(cls, images: Path, conversion_log: Path | None = None) -> "Submission":
        """Prepare a submission for converted images that are to be predicted.

        Args:
            images: folder of a converted data set, such as its ``imagesTs``.
            conversion_log: of that data set; None for the one beside the folder.

        Raises:
            ValueError: if the log does not exist, or patients are not in it.
        """
        file = conversion_log or images.resolve().parent / LOG_FILE
        grids = ct_grids_in(file)
        unknown = [p.case_id for p in find_patients(images, 2, ENDING) if p.case_id not in grids]
        if unknown:
            raise ValueError(
                f"{file} has no entry for {listed(unknown)}, so the grids of their CTs are not known."
            )
        return cls(grids)

    def write(self, prediction: Path) -> Path:
        """Write ``masks/PATIENT.nii.gz`` and ``predictions.csv`` for all patients that were predicted.

        Args:
            prediction: folder of a finished prediction.

        Returns:
            The submission's folder.

        Raises:
            ValueError: if a mask is not there or damaged.
        """
        folder = prediction / SUBMISSION
        table = read_csv(prediction / PREDICTIONS_FILE, dtype={"case_id": str})
        for case_id in table["case_id"]:
            self._write_mask(prediction, case_id)
        _remove_others(folder / MASKS, set(table["case_id"]))
        columns = table[["case_id", "risk_score"]].set_axis(RISK_COLUMNS, axis=1)
        write_atomically(folder / "predictions.csv", csv_text(columns, index=False))
        return folder

    def _write_mask(self, prediction: Path, case_id: str) -> None:
        name = f"{case_id}{ENDING}"
        try:
            write_on_grid(
                prediction / MASKS / name, self.ct_grids[case_id], prediction / SUBMISSION / MASKS / name
            )
        except ValueError as error:
            raise ValueError(f"No submission: {error}; predict again, without --c.") from error


def _remove_others(masks: Path, case_ids: Collection[str]) -> None:
    """Remove files of an earlier run: masks of other patients, and incomplete ones of a killed run."""
    for path in masks.iterdir():
        if path.is_dir() and path.name.startswith(UNFINISHED):
            shutil.rmtree(path)
        elif path.is_file() and path.name.removesuffix(ENDING) not in case_ids:
            path.unlink()
