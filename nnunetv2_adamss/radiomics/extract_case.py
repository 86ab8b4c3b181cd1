"""The radiomics features of one case."""

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from radiomics import getFeatureClasses, imageoperations

from nnunetv2_adamss.common.images import MASK, read_on_one_grid, tumour_of
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.radiomics.crop import Box, prepare
from nnunetv2_adamss.radiomics.faster import FastExtractor, TooManyBinsError
from nnunetv2_adamss.radiomics.radiomics_settings import quiet_pyradiomics
from nnunetv2_adamss.radiomics.regions import lesion_spread_mm, lesions_of, shell_around
from nnunetv2_adamss.radiomics.request import RadiomicsCase, RadiomicsRequest

logger = logging.getLogger(__name__)

# Voxels after resampling, from which on a case takes more than some seconds.
_LARGE_BOX = 2_000_000


class RegionTooSmallError(ValueError):
    """The region has too few voxels for features."""


@dataclass(frozen=True)
class CaseFeatures:
    """The features of one case, and notes.

    Args:
        features: by column; NaN where a feature has no value. Empty if the tumour has none at all.
        notes: what a user should know, such as that the mask is empty.
    """

    features: Mapping[str, float]
    notes: tuple[str, ...]


def extract_case(case: RadiomicsCase, request: RadiomicsRequest) -> CaseFeatures:
    """Extract the features of a case's tumour, and those of further regions that are requested.

    Columns are named ``CHANNEL_IMAGE_CLASS_FEATURE``, such as ``PET_wavelet-LLH_glcm_Contrast``, and
    ``shape_FEATURE``. Columns of further regions begin with a word and a dot.

    Raises:
        ValueError: if images or mask cannot be read, do not lie on one grid, or hold values that are not numbers.
    """
    images, mask = _read(case, request.channels)
    labels = sitk.GetArrayFromImage(mask)
    tumour = tumour_of(labels, request.ignore_label)
    _announce_if_large(case.case_id, tumour, mask.GetSpacing()[::-1], request)
    notes = []
    features: dict[str, float] = {}
    # pyradiomics divides by zero where a feature has no value, which is noted below.
    with quiet_pyradiomics():
        try:
            features |= _region_features(images, tumour, request)
        except RegionTooSmallError as error:
            return CaseFeatures({}, (str(error),))
        notes += _constant_channels(images, tumour, request.channels)
        for name, values, note in _extras(images, labels, tumour, request):
            features |= {f"{name}.{column}": value for column, value in values.items()}
            notes += [f"{name}: {note}"] if note else []
    without_value = [column for column, value in features.items() if not math.isfinite(value)]
    if without_value:
        notes.append(
            f"{len(without_value)} of {len(features)} features have no value: {listed(without_value)}"
        )
    return CaseFeatures({c: v if math.isfinite(v) else math.nan for c, v in features.items()}, tuple(notes))


def _announce_if_large(
    case_id: str, tumour: NDArray[np.bool_], spacing_mm: Sequence[float], request: RadiomicsRequest
) -> None:
    """Log a case whose features take long, by the box that every filter goes through."""
    if not tumour.any():
        return
    box = Box.around(tumour)
    sides_mm = np.subtract(box.stop, box.start)[::-1] * spacing_mm
    setting = request.settings.of_channel(request.channels[0])["setting"]
    target_mm = np.array(setting.get("resampledPixelSpacing") or (0, 0, 0), dtype=float)[::-1]
    voxel_mm = np.where(target_mm == 0, spacing_mm, target_mm)
    n_voxels = np.prod(np.ceil(sides_mm / voxel_mm))
    if n_voxels > _LARGE_BOX:
        logger.warning(
            "%s takes long: its tumour of %.0f ml lies in a box of %s mm, which has %.1f million voxels of %s mm.",
            case_id,
            tumour.sum() * np.prod(spacing_mm) / 1000,
            " x ".join(f"{side:.0f}" for side in sides_mm[::-1]),
            n_voxels / 1e6,
            " x ".join(f"{side:.3g}" for side in voxel_mm[::-1]),
        )


def _extras(
    images: Sequence[sitk.Image],
    labels: NDArray[np.integer],
    tumour: NDArray[np.bool_],
    request: RadiomicsRequest,
) -> Iterator[tuple[str, dict[str, float], str]]:
    """Yield name, features and note of each region that is extracted beside the tumour."""
    spacing_mm = images[0].GetSpacing()[::-1]
    regions = {}
    if request.extras.per_label:
        regions = {f"label.{name}": np.isin(labels, values) for name, values in request.labels.items()}
    if request.extras.shell_mm is not None:
        regions["shell"] = shell_around(tumour, request.extras.shell_mm, spacing_mm)
    for name, region in regions.items():
        try:
            yield name, _region_features(images, region, request), ""
        except RegionTooSmallError as error:
            yield name, {}, str(error)
    if request.extras.per_lesion:
        lesions = lesions_of(tumour)
        # Few of many lesions are in the memory at a time.
        found, too_small = _lesion_features(images, lesions, request)
        yield (
            "lesions",
            {"count": float(len(lesions)), "spread_mm": lesion_spread_mm(lesions, spacing_mm)},
            "",
        )
        for name, values in _over_lesions(found).items():
            yield name, values, ""
        if too_small:
            yield "lesions", {}, f"{too_small} of {len(lesions)} are too small for features and only counted"


def _lesion_features(
    images: Sequence[sitk.Image], lesions: Sequence[NDArray[np.bool_]], request: RadiomicsRequest
) -> tuple[list[dict[str, float]], int]:
    """The features of every lesion that is large enough, the largest first, and the number of the others."""
    found = []
    for lesion in lesions:
        try:
            found.append(_region_features(images, lesion, request))
        except RegionTooSmallError:
            continue
    return found, len(lesions) - len(found)


def _over_lesions(found: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Features of the largest lesion, and sum and spread (standard deviation) over all."""
    if not found:
        return {}
    columns = list(found[0])
    values = np.array([[lesion[column] for column in columns] for lesion in found])
    return {
        "largest_lesion": dict(found[0]),
        "lesion_sum": dict(zip(columns, values.sum(axis=0).tolist(), strict=True)),
        "lesion_spread": dict(zip(columns, values.std(axis=0).tolist(), strict=True)),
    }


def _region_features(
    images: Sequence[sitk.Image], region: NDArray[np.bool_], request: RadiomicsRequest
) -> dict[str, float]:
    """The features of one region; those of shape once, since all channels lie on one grid.

    Raises:
        RegionTooSmallError: with its size.
        ValueError: if the settings ask for more than the memory has room for.
    """
    n_voxels = int(region.sum())
    if n_voxels < 2:
        raise RegionTooSmallError("the mask is empty" if n_voxels == 0 else "the mask has one voxel only")
    box = Box.around(region)
    mask = sitk.GetImageFromArray(region.astype(np.uint8))
    mask.CopyInformation(images[0])
    features: dict[str, float] = {}
    for index, (channel, image) in enumerate(zip(request.channels, images, strict=True)):
        parameters = request.settings.of_channel(channel)
        if index > 0:
            parameters = _without_shape(parameters)
            if not parameters["featureClass"]:
                continue
        near_image, near_mask, parameters = prepare(image, mask, box, parameters)
        _check_size(near_image, near_mask, parameters["setting"], n_voxels)
        try:
            found = _extractor(json.dumps(parameters)).execute(near_image, near_mask, label=1)
        except TooManyBinsError as error:
            raise ValueError(f"{channel}: {error}; it is set in {request.settings.name}") from error
        for name, value in found.items():
            of_shape = name.split("_")[1].startswith("shape")
            features[name.partition("_")[2] if of_shape else f"{channel}_{name}"] = float(value)
    return features


@lru_cache(maxsize=16)
def _extractor(parameters: str) -> FastExtractor:
    # To build one takes longer than the features of a small tumour.
    return FastExtractor(json.loads(parameters))


def _without_shape(parameters: Mapping[str, Any]) -> dict[str, Any]:
    classes = parameters.get("featureClass") or dict.fromkeys(getFeatureClasses())
    return {
        **parameters,
        "featureClass": {name: f for name, f in classes.items() if not name.startswith("shape")},
    }


def _check_size(image: sitk.Image, mask: sitk.Image, setting: Mapping[str, Any], n_voxels: int) -> None:
    try:
        imageoperations.checkMask(image, mask, **{"label": 1, **setting})
    except ValueError as error:
        text = " ".join(str(error).split())
        raise RegionTooSmallError(f"the mask of {n_voxels} voxels is too small: {text}") from error


def _constant_channels(
    images: Sequence[sitk.Image], tumour: NDArray[np.bool_], channels: Sequence[str]
) -> list[str]:
    notes = []
    for channel, image in zip(channels, images, strict=True):
        inside = sitk.GetArrayViewFromImage(image)[tumour]
        if inside.min() == inside.max():
            notes.append(f"{channel} is {inside[0]:g} in the whole tumour, so its texture has no meaning")
    return notes


def _read(case: RadiomicsCase, channels: Sequence[str]) -> tuple[list[sitk.Image], sitk.Image]:
    read = read_on_one_grid(dict(zip(channels, case.images, strict=True)), mask=case.mask)
    return [read[channel].itk() for channel in channels], read[MASK].itk()
