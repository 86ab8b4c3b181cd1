"""What is faster gives what plain pyradiomics gives, for every feature."""

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from radiomics.featureextractor import RadiomicsFeatureExtractor

from nnunetv2_adamss.radiomics.extract_case import _region_features
from nnunetv2_adamss.radiomics.radiomics_settings import RadiomicsSettings, quiet_pyradiomics
from nnunetv2_adamss.radiomics.request import RadiomicsRequest
from tests.radiomics.phantoms import CHANNELS, ball, image_of, paper_request, pet_ct

LARGEST_RELATIVE_DIFFERENCE = 1e-6


def with_setting(**setting: Any) -> RadiomicsRequest:
    """The paper's features with other settings; None takes one away."""
    paper = RadiomicsSettings.read()
    merged = {**paper.parameters["setting"], **setting}
    parameters = {**paper.parameters, "setting": {k: v for k, v in merged.items() if v is not None}}
    return RadiomicsRequest(CHANNELS, RadiomicsSettings(parameters, paper.channel_setting))


def with_images(image_types: dict[str, Any], **setting: Any) -> RadiomicsRequest:
    settings = with_setting(resampledPixelSpacing=None, **setting).settings
    parameters = {**settings.parameters, "imageType": image_types}
    return RadiomicsRequest(CHANNELS, RadiomicsSettings(parameters, settings.channel_setting))


def plain_pyradiomics(
    images: list[sitk.Image], mask: sitk.Image, request: RadiomicsRequest
) -> dict[str, float]:
    """Every channel on the whole image by an extractor that nothing was done to."""
    found = {}
    for channel, image in zip(request.channels, images, strict=True):
        extractor = RadiomicsFeatureExtractor(request.settings.of_channel(channel))
        for name, value in extractor.execute(image, mask, label=1).items():
            column = name.removeprefix("original_") if "_shape_" in name else f"{channel}_{name}"
            found.setdefault(column, float(value))
    return found


def assert_same(mask: NDArray[np.bool_], spacing_mm: tuple[float, ...], request: RadiomicsRequest) -> int:
    """Compare all features; returns how many there are."""
    images = [image_of(array, spacing_mm) for array in pet_ct(mask)]
    with quiet_pyradiomics():
        plain = plain_pyradiomics(images, image_of(mask.astype(np.uint8), spacing_mm), request)
        ours = _region_features(images, mask, request)
    assert list(ours) == list(plain)
    np.testing.assert_allclose(
        list(ours.values()), list(plain.values()), rtol=LARGEST_RELATIVE_DIFFERENCE, atol=0
    )
    return len(ours)


@pytest.mark.parametrize("spacing_mm", [(3, 3, 3), (1.5, 1.5, 2), (4.6875, 4.6875, 3.27), (1, 1, 1)])
def test_with_the_shipped_settings_all_1456_features_are_those_of_pyradiomics(
    spacing_mm: tuple[float, ...],
) -> None:
    mask = ball((34, 42, 40), (15, 25, 19), 4) | ball((34, 42, 40), (17, 21, 20), 3)
    assert assert_same(mask, spacing_mm, paper_request()) == 1456


@pytest.mark.parametrize(
    "centre",
    [(20, 21, 22), (3, 21, 22), (20, 39, 4), (4, 4, 44)],
    ids=["inside", "at a face", "at an edge", "in a corner"],
)
def test_without_resampling_the_wavelet_does_not_see_where_the_image_was_cut(centre: tuple[int, ...]) -> None:
    # Sides odd and even; the wavelet continues at the other side of the image.
    mask = ball((43, 44, 49), centre, 5)
    assert_same(mask, (1, 1, 1), with_setting(resampledPixelSpacing=None))


@pytest.mark.parametrize(
    "setting",
    [
        {"resampledPixelSpacing": [0, 0, 1.0]},
        {"interpolator": "sitkLinear"},
        {"padDistance": 12},
        {"normalize": True, "normalizeScale": 2},
        {"preCrop": True, "resampledPixelSpacing": None},
        {"resegmentRange": [0, 60]},
        {"force2D": True, "resampledPixelSpacing": None},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_other_settings_of_pyradiomics_keep_their_meaning(setting: dict[str, Any]) -> None:
    assert_same(ball((32, 32, 30), (15, 16, 14), 5), (2, 2, 3), with_setting(**setting))


@pytest.mark.parametrize(
    "image_types",
    [
        {"LoG": {"sigma": [2.0]}, "Original": {}},
        {"Wavelet": {"wavelet": "db3", "level": 2, "start_level": 1, "binCount": 12}},
        {"Exponential": {}, "Gradient": {}},
    ],
    ids=lambda types: next(iter(types)),
)
def test_other_images_of_pyradiomics_are_those_of_the_whole_image(image_types: dict[str, Any]) -> None:
    assert_same(ball((60, 48, 50), (28, 22, 25), 5), (1, 1, 1), with_images(image_types))


def test_a_fixed_number_of_bins_is_discretised_the_same_way() -> None:
    paper = RadiomicsSettings.read().parameters
    settings = RadiomicsSettings({**paper, "setting": {"binCount": 16}})
    assert_same(ball((24, 24, 24), (12, 12, 12), 5), (1, 1, 1), RadiomicsRequest(CHANNELS, settings))


def test_features_of_shape_alone_are_taken_once() -> None:
    settings = RadiomicsSettings({"setting": {"binWidth": 1}, "featureClass": {"shape": ["MeshVolume"]}})
    mask = ball((24, 24, 24), (12, 12, 12), 5)
    assert assert_same(mask, (1, 1, 1), RadiomicsRequest(CHANNELS, settings)) == 1
