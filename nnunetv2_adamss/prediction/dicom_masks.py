"""Write the masks of a prediction as DICOM objects that refer to the patients' CT series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.progress import Progress, silent
from nnunetv2_adamss.common.tables.cell_faults import (
    case_id_faults,
    missing_column_faults,
    repeated_column_faults,
)
from nnunetv2_adamss.common.tables.cell_values import is_missing
from nnunetv2_adamss.common.tables.csv_cells import read_cells
from nnunetv2_adamss.common.tables.csv_text import read_csv
from nnunetv2_adamss.common.tables.faults import FileFaultsError
from nnunetv2_adamss.dicom.write_identity import Structure, structures_of
from nnunetv2_adamss.dicom.write_masks import write_masks
from nnunetv2_adamss.prediction.patient_images import find_patients
from nnunetv2_adamss.prediction.prediction_folder import MASKS, PREDICTIONS_FILE
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
from nnunetv2_adamss.survival.nnunet_data.dataset_json import read_dataset_json

_CT = "ct"


@dataclass(frozen=True)
class DicomMasks:
    """Writes SEG and RTSTRUCT of every patient of a prediction.

    Args:
        ct_series: files of each patient's CT series, by ``case_id``.
        structures: in the masks.
        file_ending: of the masks.
        folder: to write to.
    """

    ct_series: Mapping[str, Sequence[Path]]
    structures: Sequence[Structure]
    file_ending: str
    folder: Path

    @classmethod
    def of(
        cls, images: Path, ct_series: Path | Mapping[str, Sequence[Path]], model_folder: Path, folder: Path
    ) -> "DicomMasks":
        """Prepare for images that are to be predicted.

        Args:
            images: folder of the patients' images.
            ct_series: as :func:`find_ct_series` takes or returns it.
            model_folder: of the model, whose labels are written.
            folder: to write to.

        Raises:
            ValueError: if a file cannot be used, or there is a CT series of no patient.
        """
        description = read_dataset_json(model_folder / "dataset.json", "labels", "file_ending")
        ending = description["file_ending"]
        found = ct_series if isinstance(ct_series, Mapping) else find_ct_series(ct_series)
        patients = find_patients(images, len(channel_names(description)), ending)
        if found.keys().isdisjoint(patient.case_id for patient in patients):
            raise ValueError(
                f"{ct_series} has no CT series of a patient in {images}. It is a folder with one folder for each case, "
                f"such as {patients[0].case_id}, or a CSV with the columns {CASE_ID} and {_CT}."
            )
        return cls(found, structures_of(description["labels"]), ending, folder)

    def write(self, prediction: Path, progress: Progress = silent) -> dict[str, str]:
        """Write ``CASE_SEG.dcm`` and ``CASE_RTSTRUCT.dcm`` for all patients that were predicted.

        Args:
            prediction: folder of a finished prediction.
            progress: shown while patients are written.

        Returns:
            The reasons why masks could not be written, by ``case_id``.
        """
        table = read_csv(prediction / PREDICTIONS_FILE, dtype={CASE_ID: str})
        failed = {}
        for case_id in progress(table[CASE_ID].tolist(), "DICOM"):
            mask = prediction / MASKS / f"{case_id}{self.file_ending}"
            try:
                if case_id not in self.ct_series:
                    raise ValueError("no CT series was given for it")
                write_masks(mask, self.ct_series[case_id], self.structures, self.folder, case_id)
            # No error of one patient may stop the others, and no message of a library may quote a patient's tags.
            except Exception as error:
                is_ours = isinstance(error, ValueError | OSError)
                failed[case_id] = str(error) if is_ours else type(error).__name__
        return failed


def find_ct_series(source: Path) -> dict[str, list[Path]]:
    """Find the files of each patient's CT series, by ``case_id``.

    Args:
        source: folder with one folder for each case, or a CSV with ``case_id`` and ``ct``, a folder, whose path is
            absolute or from the folder of the CSV; an empty cell is no series. All files below these folders count.

    Raises:
        ValueError: if the CSV cannot be used.
    """
    if source.is_file():
        folders = _listed_in(source)
    else:
        folders = {folder.name: folder for folder in source.iterdir() if folder.is_dir()}
    return {
        case_id: sorted(path for path in folder.rglob("*") if path.is_file())
        for case_id, folder in folders.items()
    }


def _listed_in(table: Path) -> dict[str, Path]:
    cells = read_cells(table)
    faults = missing_column_faults(cells.columns, (CASE_ID, _CT)) or repeated_column_faults(cells.columns)
    faults = faults or case_id_faults(cells[CASE_ID])
    if faults:
        raise FileFaultsError(table, faults)
    given = cells[~is_missing(cells[_CT])]
    return {
        case_id: table.parent / folder for case_id, folder in zip(given[CASE_ID], given[_CT], strict=True)
    }
