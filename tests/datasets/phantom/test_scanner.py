"""The shift between centres does what it says."""

import numpy as np
import pytest

from nnunetv2_adamss.datasets.phantom.scanner import Scanner, scan_ct, scan_pet, scanner_of_centre

SPACING_MM = (3.0, 3.0, 3.0)


def test_without_a_shift_every_centre_has_the_reference_scanner() -> None:
    assert {scanner_of_centre(i, 4, shift=False) for i in range(4)} == {Scanner()}
    assert scanner_of_centre(0, 1, shift=True) == Scanner()


def test_with_a_shift_no_two_centres_share_a_scanner() -> None:
    assert len({scanner_of_centre(i, 4, shift=True) for i in range(4)}) == 4


def test_a_point_source_is_blurred_to_a_gaussian_of_six_millimetres_fwhm() -> None:
    point = np.zeros((41, 41, 41))
    point[20, 20, 20] = 1e6  # so bright that noise does not count
    blurred = scan_pet(point, (1.0, 1.0, 1.0), Scanner(), np.random.default_rng(0))
    assert blurred[20, 20, 23] / blurred[20, 20, 20] == pytest.approx(0.5, abs=0.02)


def test_gain_and_offset_scale_uniform_images() -> None:
    uniform = np.full((24, 24, 24), 4.0)
    pet = scan_pet(uniform, SPACING_MM, Scanner(pet_gain=0.8), np.random.default_rng(0))
    ct = scan_ct(uniform, SPACING_MM, Scanner(ct_offset_hu=15.0), np.random.default_rng(0))
    assert pet.mean() == pytest.approx(3.2, rel=0.01)
    assert ct.mean() == pytest.approx(19.0, abs=0.5)
    assert ct.std() == pytest.approx(12.0, rel=0.05)
