"""Convert one patient: read, find the grid, resample, check, write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from nnunetv2_adamss.common.files import put_in_place, write_atomically
from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.datasets.conversion.conversion_folder import REPLACED, UNFINISHED
from nnunetv2_adamss.datasets.conversion.head_and_neck import head_and_neck_box
from nnunetv2_adamss.datasets.conversion.patient_grid import GridChoice, common_grid
from nnunetv2_adamss.datasets.conversion.pet_units import is_activity, unit_warning
from nnunetv2_adamss.datasets.conversion.random_box import random_box
from nnunetv2_adamss.datasets.conversion.resample import resample_mask, resample_scan
from nnunetv2_adamss.datasets.conversion.scans import AIR_HU, PatientSource, Scans
from nnunetv2_adamss.datasets.conversion.tumour_mask import centroid_mm, mask_warnings
from nnunetv2_adamss.datasets.conversion.write_image import save, unfinished_name
from nnunetv2_adamss.dicom.suv import SuvType

ENDING = ".nii.gz"
_INT16 = np.iinfo(np.int16)
_MOST_OF_AIR_HU = -200.0  # the lowest value of a CT with air in it is below


@dataclass(frozen=True)
class CaseSettings:
    """Settings for the conversion of every patient.

    Args:
        grid: scan whose voxels are kept, or ``iso``.
        spacing_xyz_mm: of ``iso``.
        head_and_neck: whether the images are cut to the box from brain to neck.
        field_mm: side of the box that is cut at a random place; None to keep the images whole.
        seed: of the random places.
        labels: as in ``dataset.json``.
        suv: normalisation of PET that is read from DICOM: ``bw``, ``lbm`` or ``bsa``.
    """

    grid: GridChoice
    spacing_xyz_mm: tuple[float, ...]
    head_and_neck: bool
    field_mm: float | None
    seed: int
    labels: Mapping[str, int]
    suv: SuvType = "bw"


def case_files(case_id: str, has_mask: bool) -> list[str]:
    """Return the paths of a patient's CT, PET and, if there is one, mask, relative to the data set's folder."""
    part = "Tr" if has_mask else "Ts"
    images = [f"images{part}/{case_id}_{channel:04}{ENDING}" for channel in (0, 1)]
    return [*images, f"labels{part}/{case_id}{ENDING}"] if has_mask else images


def convert_case(
    patient: PatientSource, settings: CaseSettings, folder: Path, suv_factor: float | None = None
) -> dict[str, Any]:
    """Write CT (int16, HU), PET (float32, SUV) and mask (uint8) of a patient on one grid.

    Patients with a mask go to ``imagesTr`` and ``labelsTr``, others to ``imagesTs``.

    Args:
        patient: whose scans are read.
        settings: of the conversion.
        folder: of the raw data set.
        suv_factor: from Bq/ml to SUV. Used only if the PET cannot be in SUV, since tables of doses often name every
            patient; None if it is not known.

    Returns:
        The log entry of the patient.

    Raises:
        ValueError: if a file cannot be read or the images do not fit together; then nothing was written.
        OSError: if they cannot be written.
    """
    scans = patient.read(settings.labels)
    if scans.no_suv and suv_factor is None:
        raise ValueError(
            f"its PET cannot be in SUV: {scans.no_suv}; if you know it, convert with --pet_table"
        )
    overlap = common_grid(scans.grids["ct"], scans.grids["pet"], settings.grid, settings.spacing_xyz_mm)
    grid, cut_warnings = _cut(overlap, scans, patient.case_id, settings)
    ct = _whole_hu(resample_scan(scans.ct, grid, outside=AIR_HU))
    pet = resample_scan(scans.pet, grid, outside=0.0)
    is_converted = suv_factor is not None and (
        bool(scans.no_suv) or is_activity(*map(sitk.GetArrayViewFromImage, (pet, ct)))
    )
    if is_converted:
        pet = pet * suv_factor
    unit_warnings = _unit_warnings(scans.ct, ct, pet)
    written, mask_remarks = [ct, pet], []
    if scans.mask is not None:
        written.append(resample_mask(scans.mask, grid))
        mask_remarks = mask_warnings(scans.mask, written[-1], settings.labels)
    _write(written, folder, patient)
    return {
        **scans.log,
        "source_grids": {kind: source.describe() for kind, source in scans.grids.items()},
        "grid": grid.describe(),
        "overlap": overlap.describe() if grid != overlap else "the same",
        "suv_factor": suv_factor if is_converted else None,
        "warnings": [*scans.warnings, *cut_warnings, *unit_warnings, *mask_remarks],
    }


def _cut(grid: VoxelGrid, scans: Scans, case_id: str, settings: CaseSettings) -> tuple[VoxelGrid, list[str]]:
    warnings = []
    if settings.head_and_neck:
        box = head_and_neck_box(scans.pet)
        cropped = None if box is None else grid.cropped_to(box)
        if cropped is None:
            warnings.append("no brain was found in the PET, so the images are not cut to head and neck")
        grid = cropped or grid
    if settings.field_mm is None:
        return grid, warnings
    if scans.mask is None:
        raise ValueError("it has no mask, around which a box could be cut (--field_mm none keeps the image)")
    box_grid = random_box(grid, centroid_mm(scans.mask), settings.field_mm, case_id, settings.seed)
    return box_grid, warnings


def _whole_hu(ct: sitk.Image) -> sitk.Image:
    values = np.rint(sitk.GetArrayViewFromImage(ct)).clip(AIR_HU, _INT16.max)
    image = sitk.GetImageFromArray(values.astype(np.int16))
    image.CopyInformation(ct)
    return image


def _unit_warnings(published_ct: sitk.Image, ct: sitk.Image, pet: sitk.Image) -> list[str]:
    """Warn of unusual values; in the CT as published, since on another grid it is surrounded by air."""
    lowest = float(sitk.GetArrayViewFromImage(published_ct).min())
    no_air = (
        f"the CT has no air (lowest value {round(lowest)}); is it in HU?"
        if lowest > _MOST_OF_AIR_HU
        else None
    )
    oddity = unit_warning(sitk.GetArrayViewFromImage(pet), sitk.GetArrayViewFromImage(ct))
    return [warning for warning in (no_air, oddity) if warning]


def _write(images: Sequence[sitk.Image], folder: Path, patient: PatientSource) -> None:
    """Write under names that nnU-Net ignores, then rename, so that a file of the final name is complete."""
    files = [folder / name for name in case_files(patient.case_id, patient.has_mask)]
    unfinished = [unfinished_name(file, folder / UNFINISHED) for file in files]
    for image, file in zip(images, unfinished, strict=True):
        save(image, file)
    write_atomically(folder / REPLACED / patient.case_id, "")
    for source, file in zip(unfinished, files, strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        put_in_place(source, file)
