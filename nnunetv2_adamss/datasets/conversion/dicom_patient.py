"""A patient whose scans and structures are DICOM series."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.datasets.conversion.scans import Scans, clipped_at_air
from nnunetv2_adamss.dicom.chosen_series import ChosenSeries, choose_scans, with_structures
from nnunetv2_adamss.dicom.dicom_series import Series
from nnunetv2_adamss.dicom.polygons import rasterised, read_polygons
from nnunetv2_adamss.dicom.segments import read_segments
from nnunetv2_adamss.dicom.slices import SliceStack, read_stack, read_volume
from nnunetv2_adamss.dicom.structures import StructureSet, read_structure_sets
from nnunetv2_adamss.dicom.suv import SUV_TAGS, SuvType, suv_factor

DEFAULT_STRUCTURES = "^GTV"


@dataclass(frozen=True)
class DicomOptions:
    """Options for every patient.

    Args:
        structures: regular expression for the structures of each label; none for patients without masks.
        suv: normalisation of the PET.
        drawn_on: modality whose structures are used if CT and PET have their own: ``CT`` or ``PT``.
    """

    structures: Mapping[str, str]
    suv: SuvType = "bw"
    drawn_on: str = "CT"

    @property
    def labels(self) -> dict[str, int]:
        """Value of each label by its name, as in ``dataset.json``."""
        return {"background": 0, **{name: value for value, name in enumerate(self.structures, start=1)}}


@dataclass(frozen=True)
class DicomPatient:
    """The series of one patient. Nothing here or in a log names a path, a date or a text of the tags.

    Args:
        case_id: name of the patient in the data set.
        chosen: series of CT, PET and structures.
        suv: normalisation of the PET.
    """

    case_id: str
    chosen: ChosenSeries
    suv: SuvType

    @classmethod
    def of(
        cls,
        case_id: str,
        series: Sequence[Series],
        options: DicomOptions,
        structures: Sequence[Series] | None = None,
    ) -> DicomPatient:
        """Choose the series of a patient.

        Args:
            case_id: name of the patient.
            series: all of the patient.
            options: for every patient.
            structures: series of the structure sets; None for those among all series.

        Raises:
            ValueError: with the reason, if CT, PET or structures cannot be chosen.
        """
        sets = read_structure_sets(
            series if structures is None else structures, options.structures, options.labels
        )
        chosen = choose_scans(series, sets)
        if options.structures:
            chosen = with_structures(chosen, series, sets, options.drawn_on)
        return cls(case_id, chosen, options.suv)

    @property
    def has_mask(self) -> bool:
        """True for a patient who can be trained on."""
        return self.chosen.structures is not None

    def stamps(self) -> dict[str, Any]:
        """Return digests of the names, sizes and times of all files, and the labels of the structures.

        Raises:
            ValueError: if a file is missing.
        """
        stamps: dict[str, Any] = {
            "ct": _digest(self.chosen.ct.files),
            "pet": _digest(self.chosen.pet.files),
        }
        if self.chosen.structures is not None:
            stamps["structures"] = _digest([self.chosen.structures.file])
            stamps["labels"] = {str(number): value for number, value in self.chosen.structures.labels.items()}
        return stamps

    def read(self, labels: Mapping[str, int]) -> Scans:
        """Read CT in HU, PET in SUV and the mask.

        Args:
            labels: values of the mask, which the structures have been given already.

        Raises:
            ValueError: naming what cannot be read: slices, SUV or structures.
        """
        ct_stack = _of("CT", read_stack, self.chosen.ct)
        pet_stack = _of("PET", read_stack, self.chosen.pet, SUV_TAGS)
        suv_log, factor, no_suv = self._suv(pet_stack)
        ct = clipped_at_air(_of("CT", read_volume, ct_stack))
        pet = _of("PET", read_volume, pet_stack) * factor
        mask, mask_log, warnings = self._mask(ct_stack.grid, pet_stack.grid)
        images = {"ct": ct, "pet": pet} | ({} if mask is None else {"mask": mask})
        log = {
            "files": {"ct": str(self.chosen.ct), "pet": str(self.chosen.pet), **mask_log},
            "suv": suv_log,
            "left_out": list(self.chosen.left_out),
        }
        grids = {kind: VoxelGrid.of(image) for kind, image in images.items()}
        return Scans(ct, pet, mask, grids, log, warnings, no_suv)

    def _suv(self, pet: SliceStack) -> tuple[dict[str, Any], float, str]:
        """Return the log's entry, the factor to SUV, and why there is none if the PET stays in Bq/ml."""
        try:
            found = suv_factor(pet.tags, self.suv)
        except ValueError as error:
            if pet.tags[0].get("Units") != "BQML" or self.suv != "bw":
                raise ValueError(f"its PET cannot be in SUV: {error}") from None
            return {"by": self.suv, "rule": "BQML, not in SUV by its tags"}, 1.0, str(error)
        return {"by": self.suv, "rule": found.rule, "factor": found.factor}, found.factor, ""

    def _mask(self, ct: VoxelGrid, pet: VoxelGrid) -> tuple[sitk.Image | None, dict[str, str], Sequence[str]]:
        structures = self.chosen.structures
        if structures is None:
            return None, {}, ()
        log = {"mask": _mask_words(structures)}
        if structures.modality == "SEG":
            return _of("SEG", read_segments, structures.file, structures.labels), log, ()
        drawn_on = structures.series_uids & {self.chosen.ct.uid, self.chosen.pet.uid}
        grid = pet if drawn_on == {self.chosen.pet.uid} else ct
        contours = _of("RTSTRUCT", read_polygons, structures.file, list(structures.labels))
        voxels, warnings = _of("RTSTRUCT", rasterised, contours, structures.labels, grid)
        mask = sitk.GetImageFromArray(voxels)
        mask.SetSpacing(grid.spacing_mm)
        mask.SetOrigin(grid.origin_mm)
        mask.SetDirection(grid.direction)
        return mask, log, [*warnings, *_left_out_words(structures)]


def _of(what: str, read: Any, *arguments: Any) -> Any:
    """Read something, and name it in the error if that fails."""
    try:
        return read(*arguments)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None


def _mask_words(structures: StructureSet) -> str:
    used = [structures.name_of[number] for number in structures.labels]
    return f"{structures.modality}: {', '.join(used)}"


def _left_out_words(structures: StructureSet) -> list[str]:
    if not structures.elsewhere:
        return []
    return [f"structures in another frame of reference are not in the mask: {listed(structures.elsewhere)}"]


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        try:
            stat = file.stat()
        except OSError:
            raise ValueError("a DICOM file of the patient has gone since the folder was read") from None
        digest.update(f"{file.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return digest.hexdigest()
