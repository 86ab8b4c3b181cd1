"""Shape without pairs of all vertices gives pyradiomics' coefficients, whatever the region looks like."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from radiomics import cShape
from radiomics.shape import RadiomicsShape

from nnunetv2_adamss.radiomics import shape
from nnunetv2_adamss.radiomics.radiomics_settings import quiet_pyradiomics
from nnunetv2_adamss.radiomics.shape import FastShape, coefficients
from tests.radiomics.phantoms import ball, image_of

SPACING_MM = np.array([3.27, 0.9765625, 1.3])
LARGEST_RELATIVE_DIFFERENCE = 1e-9


@pytest.fixture(autouse=True)
def _ours_for_small_regions_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shape, "MANY_VERTICES", 0)


def flat(found: tuple[float, float, tuple[float, ...]]) -> list[float]:
    return [found[0], found[1], *found[2]]


def assert_same(region: NDArray[np.bool_], spacing_mm: NDArray[np.float64] = SPACING_MM) -> None:
    padded = np.pad(region, 1)
    expected = flat(cShape.calculate_coefficients(padded, spacing_mm))
    found = flat(coefficients(padded, spacing_mm))
    # The mesh of some regions encloses nothing, which rounding makes a little more or less.
    np.testing.assert_allclose(found, expected, rtol=LARGEST_RELATIVE_DIFFERENCE, atol=1e-12)


@pytest.mark.parametrize(
    "sides", [(1, 1, 1), (1, 1, 9), (1, 90, 1), (7, 1, 1), (1, 5, 6), (4, 1, 60), (2, 2, 2)]
)
def test_voxels_lines_and_planes(sides: tuple[int, ...]) -> None:
    assert_same(np.ones(sides, dtype=bool))


@pytest.mark.parametrize("radius", [1.5, 4, 12.3])
def test_balls(radius: float) -> None:
    assert_same(ball((27, 27, 27), (13, 13.2, 12.9), radius))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(12))
def test_ragged_regions(share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    region = rng.random(rng.integers(2, 14, 3)) < share
    region.flat[0] = True
    assert_same(region, rng.uniform(0.3, 6, 3))


def test_every_cube_of_eight_voxels_away_from_the_origin_too() -> None:
    for number in range(1, 256):
        region = np.zeros((5, 6, 7), dtype=bool)
        region[2:4, 3:5, 1:3] = (number & (1 << np.arange(8)).reshape(2, 2, 2)) > 0
        assert_same(region)


def test_a_diagonal_whose_vertices_lie_on_lines() -> None:
    region = np.zeros((60, 60, 60), dtype=bool)
    region[np.arange(60), np.arange(60), np.arange(60)] = True
    assert_same(region)


@pytest.mark.parametrize("region", ["ibsi", "ball", "flat"])
def test_all_features_of_shape_are_those_of_pyradiomics(region: str, real_data: Path) -> None:
    mask = {
        "ibsi": lambda: sitk.ReadImage(
            str(real_data / "ibsi" / "digital_phantom_mask.nii.gz"), sitk.sitkUInt8
        ),
        "ball": lambda: image_of(ball((20, 21, 22), (9, 9, 9), 8).astype(np.uint8), SPACING_MM),
        "flat": lambda: image_of(np.ones((1, 6, 9), dtype=np.uint8), SPACING_MM),
    }[region]()
    assert_same_features(mask)


def test_what_pyradiomics_says_of_its_features_stays_quiet(caplog: pytest.LogCaptureFixture) -> None:
    assert_same_features(image_of(ball((9, 9, 9), (4, 4, 4), 3).astype(np.uint8)))
    assert caplog.messages == []


def test_real_tumours(real_data: Path) -> None:
    for file in sorted((real_data / "Dataset510_STS" / "labelsTr").iterdir())[:4]:
        mask = sitk.ReadImage(str(file)) > 0
        region = sitk.LabelShapeStatisticsImageFilter()
        region.Execute(mask)
        x, y, z, *size = region.GetBoundingBox(1)
        mask = mask[x : x + size[0], y : y + size[1], z : z + size[2]]
        assert_same_features(mask)


def assert_same_features(mask: sitk.Image) -> None:
    with quiet_pyradiomics():
        plain, ours = (kind(mask, mask, label=1) for kind in (RadiomicsShape, FastShape))
        for calculator in (plain, ours):
            calculator.enableAllFeatures()
        expected, found = plain.execute(), ours.execute()
    assert list(found) == list(expected)
    np.testing.assert_allclose(
        list(found.values()), list(expected.values()), rtol=LARGEST_RELATIVE_DIFFERENCE, atol=1e-12
    )


def test_a_ragged_region_of_a_million_voxels_is_measured() -> None:
    # Three million vertices: with pyradiomics' loop over their pairs this test would not end.
    region = np.pad(np.random.default_rng(0).random((126, 126, 126)) < 0.5, 1)
    area_mm2, volume_mm3, diameters = coefficients(region, np.ones(3))
    assert volume_mm3 == pytest.approx(region.sum(), rel=0.05)
    assert area_mm2 > 1e6
    # The whole box, but for its corners, of which chance took some.
    assert diameters == pytest.approx((127 * 2**0.5,) * 3 + (127 * 3**0.5,), abs=3)
