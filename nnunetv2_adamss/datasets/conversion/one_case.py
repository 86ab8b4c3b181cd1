"""Convert one patient: read, find the grid, resample, check, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from nnunetv2_adamss.datasets.conversion.conversion_folder import UNFINISHED
from nnunetv2_adamss.datasets.conversion.grid import GridChoice, VoxelGrid, common_grid
from nnunetv2_adamss.datasets.conversion.head_and_neck import head_and_neck_box
from nnunetv2_adamss.datasets.conversion.patients import PatientFiles
from nnunetv2_adamss.datasets.conversion.pet_units import is_activity, unit_warning
from nnunetv2_adamss.datasets.conversion.random_box import random_box
from nnunetv2_adamss.datasets.conversion.resample import resample_mask, resample_scan
from nnunetv2_adamss.datasets.conversion.source_image import header, read_image

ENDING = ".nii.gz"
AIR_HU = -1024.0
_INT16 = np.iinfo(np.int16)
_LEAST_KEPT = 0.9
_FLOATS = (sitk.sitkFloat32, sitk.sitkFloat64)
_ROUNDING = 1e-3  # of labels that a header scales


@dataclass(frozen=True)
class CaseSettings:
    """How every patient is converted.

    Args:
        grid: of which scan the voxels are, or ``iso``.
        spacing_xyz_mm: of ``iso``.
        head_and_neck: whether the images are cut to the box from brain to neck.
        field_mm: side of the box that is cut at a random place; None to keep the images whole.
        seed: of the places.
        labels: as in ``dataset.json``.
    """

    grid: GridChoice
    spacing_xyz_mm: tuple[float, ...]
    head_and_neck: bool
    field_mm: float | None
    seed: int
    labels: Mapping[str, int]


@dataclass
class _Scans:
    """The images of a patient, as published."""

    ct: sitk.Image
    pet: sitk.Image
    mask: sitk.Image | None


def case_files(case_id: str, has_mask: bool) -> list[str]:
    """What is written of a patient: CT, PET and, if there is one, the mask, from the data set's folder."""
    part = "Tr" if has_mask else "Ts"
    images = [f"images{part}/{case_id}_{channel:04}{ENDING}" for channel in (0, 1)]
    return [*images, f"labels{part}/{case_id}{ENDING}"] if has_mask else images


def convert_case(
    patient: PatientFiles, settings: CaseSettings, folder: Path, suv_factor: float | None = None
) -> dict[str, Any]:
    """Write CT (int16, HU), PET (float32, SUV) and mask (uint8) of a patient on one grid.

    Patients with a mask go to ``imagesTr`` and ``labelsTr``, others to ``imagesTs``.

    Args:
        patient: whom.
        settings: how.
        folder: of the raw data set.
        suv_factor: what makes SUV of Bq/ml. Used only where the PET can be no SUV, since tables of doses often name
            every patient; None if it is not known.

    Returns:
        What the log says of the patient.

    Raises:
        ValueError: if a file cannot be read or the images do not fit together.
    """
    warnings: list[str] = []
    sources = {kind: header(file) for kind, file in _named(patient).items()}
    overlap = common_grid(sources["ct"], sources["pet"], settings.grid, settings.spacing_xyz_mm)
    scans = _read(patient, settings.labels, warnings)
    grid = _cut(overlap, scans, patient.case_id, settings, warnings)
    ct, pet = _ct(scans, grid, warnings), resample_scan(scans.pet, grid, outside=0.0)
    is_converted = suv_factor is not None and is_activity(*map(sitk.GetArrayViewFromImage, (pet, ct)))
    if is_converted:
        pet = pet * suv_factor
    oddity = unit_warning(sitk.GetArrayViewFromImage(pet), sitk.GetArrayViewFromImage(ct))
    warnings += [oddity] if oddity else []
    written = [ct, pet]
    if scans.mask is not None:
        label = resample_mask(scans.mask, grid)
        warnings += _lost(scans.mask, label, settings.labels)
        written.append(label)
    for image, name in zip(written, case_files(patient.case_id, scans.mask is not None), strict=True):
        _write(image, folder, name)
    return {
        "files": {kind: str(file) for kind, file in _named(patient).items()},
        "source_grids": {kind: source.describe() for kind, source in sources.items()},
        "grid": grid.describe(),
        "overlap": overlap.describe() if grid != overlap else "the same",
        "suv_factor": suv_factor if is_converted else None,
        "warnings": warnings,
    }


def _named(patient: PatientFiles) -> dict[str, Path]:
    return dict(zip(("ct", "pet", "mask"), patient.all, strict=False))


def _read(patient: PatientFiles, labels: Mapping[str, int], warnings: list[str]) -> _Scans:
    images = {}
    for (kind, file), nothing in zip(_named(patient).items(), (AIR_HU, 0.0, 0.0), strict=False):
        images[kind], n_wrong = read_image(file, nothing)
        if n_wrong:
            warnings.append(f"{n_wrong} voxels of the {kind.upper()} are not finite and become {nothing:g}")
    # Scanners write -2000 or -3024 where they saw nothing; interpolation would mix that into what they saw.
    ct = sitk.Maximum(sitk.Cast(images["ct"], sitk.sitkFloat32), AIR_HU)
    mask = images.get("mask")
    return _Scans(ct, images["pet"], None if mask is None else _checked_mask(mask, labels))


def _checked_mask(mask: sitk.Image, labels: Mapping[str, int]) -> sitk.Image:
    values = np.unique(sitk.GetArrayViewFromImage(mask)).astype(float)
    known = np.array(list(labels.values()))
    strangers = [f"{value:g}" for value in values if np.abs(known - value).min() > _ROUNDING]
    if strangers:
        expected = ", ".join(f"{value} = {name}" for name, value in labels.items())
        raise ValueError(f"its mask has the values {', '.join(strangers[:5])}; expected {expected}")
    return sitk.Cast(sitk.Round(mask) if mask.GetPixelID() in _FLOATS else mask, sitk.sitkUInt8)


def _cut(
    grid: VoxelGrid, scans: _Scans, case_id: str, settings: CaseSettings, warnings: list[str]
) -> VoxelGrid:
    if settings.head_and_neck:
        box = head_and_neck_box(scans.pet)
        cropped = None if box is None else grid.cropped_to(box)
        if cropped is None:
            warnings.append("no brain was found in the PET, so the images are not cut to head and neck")
        grid = cropped or grid
    if settings.field_mm is None:
        return grid
    if scans.mask is None:
        raise ValueError("it has no mask, around which a box could be cut (--field_mm none keeps the image)")
    return random_box(grid, _centroid_mm(scans.mask), settings.field_mm, case_id, settings.seed)


def _centroid_mm(mask: sitk.Image) -> tuple[float, ...]:
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(mask > 0)
    if not shape.HasLabel(1):
        raise ValueError(
            "its mask is empty, so no box can be cut around a tumour (--field_mm none keeps the image)"
        )
    return tuple(shape.GetCentroid(1))


def _ct(scans: _Scans, grid: VoxelGrid, warnings: list[str]) -> sitk.Image:
    resampled = resample_scan(scans.ct, grid, outside=AIR_HU)
    values = np.rint(sitk.GetArrayViewFromImage(resampled)).clip(AIR_HU, _INT16.max)
    if values.min() > -200:
        warnings.append(f"the CT has no air (lowest value {values.min():.0f}); is it in HU?")
    image = sitk.GetImageFromArray(values.astype(np.int16))
    image.CopyInformation(resampled)
    return image


def _lost(source: sitk.Image, label: sitk.Image, labels: Mapping[str, int]) -> list[str]:
    """What of the tumour is not on the grid."""
    before, after = (_volumes_ml(image, labels) for image in (source, label))
    kept = {name: after[name] / volume for name, volume in before.items() if volume > 0}
    if not kept:
        return ["the mask is empty"]
    return [
        f"{1 - share:.0%} of {name} is not in the images"
        for name, share in kept.items()
        if share < _LEAST_KEPT
    ]


def _volumes_ml(image: sitk.Image, labels: Mapping[str, int]) -> dict[str, float]:
    values = sitk.GetArrayViewFromImage(image)
    voxel_ml = float(np.prod(image.GetSpacing())) / 1000
    return {name: np.count_nonzero(values == value) * voxel_ml for name, value in labels.items() if value > 0}


def _write(image: sitk.Image, folder: Path, name: str) -> None:
    """Write under a name that nnU-Net does not look for, then rename: a file that is there is whole."""
    unfinished = folder / UNFINISHED / Path(name).name
    file = folder / name
    for parent in (unfinished.parent, file.parent):
        parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(unfinished), useCompression=True)
    unfinished.replace(file)
