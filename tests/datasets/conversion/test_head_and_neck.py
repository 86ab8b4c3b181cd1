"""The box from brain to neck, in a whole-body PET whose organs are where they are known to be."""

import numpy as np
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.datasets.conversion.head_and_neck import head_and_neck_box

SPACING, ORIGIN = 8.0, np.array([-300.0, -350.0, -800.0])
SHAPE_ZYX = (138, 75, 75)
BRAIN = np.array([10.0, -40.0, 150.0])  # LPS, mm
ORGANS = [  # centre, half axes (mm), SUV
    ((0, -30, -250), (160, 110, 360), 0.8),
    ((10, -30, 130), (85, 105, 130), 1.0),
    (tuple(BRAIN), (70, 85, 60), 8.0),
    ((10, -60, 30), (15, 15, 20), 15.0),  # the tumour, hotter than the brain
    ((40, -60, -180), (45, 40, 50), 9.0),  # the heart, and the blood in it
    ((40, -60, -180), (32, 27, 37), 1.5),
    ((0, -80, -560), (45, 40, 40), 70.0),  # the bladder
]


def whole_body(organs=ORGANS, scale: float = 1.0) -> sitk.Image:
    z, y, x = np.meshgrid(*(np.arange(n) * SPACING for n in SHAPE_ZYX), indexing="ij")
    points = np.stack([x, y, z], axis=-1) + ORIGIN
    pet = np.zeros(SHAPE_ZYX, np.float32)
    for centre, half_axes, suv in organs:
        pet[(((points - centre) / half_axes) ** 2).sum(axis=-1) < 1] = suv * scale
    image = sitk.GetImageFromArray(pet)
    image.SetSpacing((SPACING,) * 3)
    image.SetOrigin(ORIGIN.tolist())
    return image


@pytest.mark.parametrize("scale", [1.0, 4000.0])
def test_the_box_begins_at_the_top_of_the_brain_and_reaches_the_neck(scale: float) -> None:
    corners = head_and_neck_box(whole_body(scale=scale))
    assert corners is not None
    low, high = corners.min(axis=0), corners.max(axis=0)
    assert high - low == pytest.approx([200, 200, 310])
    assert (low[:2] + high[:2]) / 2 == pytest.approx(BRAIN[:2], abs=8)
    assert high[2] == pytest.approx(BRAIN[2] + 60, abs=10)


def test_the_box_is_the_same_for_a_scan_that_is_stored_upside_down() -> None:
    upright = whole_body()
    corners, other = head_and_neck_box(upright), head_and_neck_box(sitk.Flip(upright, (True, False, True)))
    assert corners is not None
    assert other is not None
    assert corners == pytest.approx(other, abs=5)


def test_the_box_does_not_depend_on_how_much_air_is_around_the_patient() -> None:
    narrow, wide = whole_body(), sitk.ConstantPad(whole_body(), (30, 20, 0), (30, 40, 10))
    corners, other = head_and_neck_box(narrow), head_and_neck_box(wide)
    assert corners is not None
    assert other is not None
    assert corners == pytest.approx(other, abs=5)


BODY, HEAD, _, TUMOUR, *HEART, BLADDER = ORGANS
LIVER = ((-60, -30, -260), (85, 75, 65), 2.4)
CUT_BRAIN = ((10, -40, 100), (40, 45, 10), 8.0)  # 75 ml of it, below where the scan begins


@pytest.mark.parametrize(
    "organs",
    [
        [],
        [BODY, TUMOUR],
        [BODY, LIVER],
        [BODY, *HEART, LIVER],
        [BODY, LIVER, BLADDER],
        [BODY, HEAD, CUT_BRAIN, LIVER],
        [BODY, HEAD, CUT_BRAIN, TUMOUR, *HEART, LIVER, BLADDER],
    ],
)
@pytest.mark.parametrize("top_mm", [300.0, 110.0, -120.0])
def test_nothing_else_is_taken_for_the_brain(organs: list, top_mm: float) -> None:
    """Scans from the skull's base, or from the chest, to the thighs."""
    upper = int((top_mm - ORIGIN[2]) / SPACING)
    assert head_and_neck_box(whole_body(organs)[:, :, :upper]) is None


def test_liver_and_bladder_do_not_lead_away_from_the_brain() -> None:
    expected, corners = head_and_neck_box(whole_body()), head_and_neck_box(whole_body([*ORGANS, LIVER]))
    assert expected is not None
    assert corners == pytest.approx(expected)
