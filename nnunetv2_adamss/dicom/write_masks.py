"""Write a mask as DICOM objects that refer to a CT series."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmread
from pydicom.config import disable_value_validation

from nnunetv2_adamss.common.files import replace_atomically
from nnunetv2_adamss.common.images import Image, read_image
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.dicom.write_identity import Identifiers, Structure
from nnunetv2_adamss.dicom.write_reference import CtSeries, without_quotes
from nnunetv2_adamss.dicom.write_segmentation import segmentation
from nnunetv2_adamss.dicom.write_structures import structure_set

_OBJECTS = {"SEG": segmentation, "RTSTRUCT": structure_set}


def dicom_files(folder: Path, case_id: str) -> dict[str, Path]:
    """The file of each kind of object of a patient."""
    return {kind: folder / f"{case_id}_{kind}.dcm" for kind in _OBJECTS}


def write_masks(
    mask: Path, ct_files: Iterable[Path], structures: Sequence[Structure], folder: Path, case_id: str
) -> None:
    """Write a patient's mask as SEG and RTSTRUCT; a file that already holds the same mask is kept.

    Args:
        mask: of any format and grid, in the frame of reference of the CT.
        ct_files: of the folder of a CT series, or of its slices.
        structures: in the mask.
        folder: to write to.
        case_id: which names the files.

    Raises:
        ValueError: if mask or series cannot be read or do not belong together; no message quotes a tag.
        OSError: if a file cannot be written.
    """
    # Tags are copied as they are; pydicom would quote faulty ones in warnings.
    with disable_value_validation():
        image = read_image(mask)
        _check_values(image, structures)
        series = CtSeries.read(ct_files)
        labels = series.labels_of(image)
        for kind, file in dicom_files(folder, case_id).items():
            identifiers = Identifiers.of(kind, series, labels, structures)
            if _instance_in(file) != identifiers.instance:
                with without_quotes(f"its {kind} cannot be made of the tags of its CT series"):
                    made = _OBJECTS[kind](series, labels, structures, identifiers)
                    _save(made, file)


def _check_values(mask: Image, structures: Sequence[Structure]) -> None:
    known = {0, *(value for structure in structures for value in structure.values)}
    unknown = sorted(set(np.unique(mask.voxels).tolist()) - known)
    if unknown:
        raise ValueError(
            f"its mask has values that are no labels of dataset.json: {listed([f'{v:g}' for v in unknown])}"
        )


def _instance_in(file: Path) -> str | None:
    """The identifier of the object that a file holds; None if it is not there or damaged, and so to be replaced."""
    with suppress(Exception):
        return str(dcmread(file, specific_tags=["SOPInstanceUID"]).get("SOPInstanceUID"))
    return None


def _save(made: Dataset, file: Path) -> None:
    replace_atomically(file, lambda unfinished: made.save_as(unfinished, enforce_file_format=True))
