"""A head and neck without disease: tissues in HU and SUV as functions of position.

Shapes are the simplest with the features of patients' images: air outside and inside, fat, muscle,
bone, and healthy organs as hot as a tumour (brain, tonsils, salivary glands), so that a PET threshold alone
segments nothing.
Positions follow ``grid.Coordinates``: mm from the middle of the field of view, (z, y, x).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from nnunetv2_adamss.datasets.phantom.phantom_grid import Coordinates
from nnunetv2_adamss.datasets.phantom.random_field import RandomField

AIR_HU = -1000.0
FAT_HU = -100.0
MUSCLE_HU = 50.0
_MUSCLE_TEXTURE_HU = 8.0
# Fat between muscles lies on the sheets where a smooth field crosses zero; width in units of the field.
_FASCIA_DEPTH_HU = 70.0
_FASCIA_WIDTH = 0.15
_MUSCLE_SUV = 1.2
_FAT_SUV = 0.4

# Body surface: an ellipse in each axial slice whose semi-axes (y, x) grow from the neck to the head.
_NECK_SEMI_AXES_MM = (60.0, 56.0)
_HEAD_SEMI_AXES_MM = (74.0, 68.0)
_NECK_TO_HEAD_Z_MM = 14.0
_NECK_TO_HEAD_LENGTH_MM = 9.0
# Levels of the body ellipse: 0 on the axis, 1 on the skin.
MUSCLE_LEVEL = 0.90
_SKULL_LEVELS = (0.86, 0.94)
# The skull base, at the body's axis: lower and upper surface. It descends towards the back.
SKULL_BASE_Z_MM = (46.0, 52.0)
_SKULL_BASE_SLOPE = 0.2


@dataclass(frozen=True)
class Ellipsoid:
    """An axis-aligned ellipsoid; an infinite semi-axis makes it a cylinder. Everything (z, y, x) in mm."""

    centre_mm: tuple[float, float, float]
    semi_axes_mm: tuple[float, float, float]

    def level(self, at: Coordinates) -> np.ndarray:
        """0 in the centre, 1 on the surface, larger outside."""
        squares = [((x - c) / a) ** 2 for x, c, a in zip(at, self.centre_mm, self.semi_axes_mm, strict=True)]
        return np.sqrt(squares[0] + squares[1] + squares[2])


class Organ(NamedTuple):
    """A soft-tissue organ with physiologic uptake."""

    shape: Ellipsoid
    hu: float
    suv: float


class Tissues(NamedTuple):
    """Ideal images of the healthy anatomy, each ``(z, y, x)``."""

    ct_hu: np.ndarray
    pet_suv: np.ndarray
    body_level: np.ndarray
    is_muscle: np.ndarray


# Name: |x|, centre (z, y), semi-axes (z, y, x), HU, SUV. Organs off the midline exist on both sides.
_ORGANS = {
    "tonsil": (17.0, (8.0, -8.0), (11.0, 8.0, 6.5), 60.0, 9.0),
    "parotid gland": (45.0, (20.0, 8.0), (14.0, 11.0, 7.5), 15.0, 5.0),
    "submandibular gland": (28.0, (-8.0, -22.0), (9.0, 9.0, 8.0), 45.0, 7.0),
    "thyroid lobe": (14.0, (-66.0, -20.0), (14.0, 7.0, 6.5), 95.0, 2.5),
    "tongue": (0.0, (10.0, -36.0), (12.0, 14.0, 14.0), 55.0, 2.5),
}
_BRAIN_SUV = 8.0


@dataclass(frozen=True)
class Anatomy:
    """One patient's healthy anatomy.

    Args:
        body_scale: factor on the body's semi-axes, (y, x).
        organs: as drawn for this patient, with their own uptake on each side.
        brain_suv: mean uptake of the brain.
        muscle_texture: field that varies the HU of muscle.
        fascia: field whose zero crossings are the sheets of fat between muscles.
    """

    body_scale: tuple[float, float]
    organs: tuple[Organ, ...]
    brain_suv: float
    muscle_texture: RandomField
    fascia: RandomField

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Anatomy:
        """Draw a patient: body size, and position, size and uptake of every organ."""
        scale_y, scale_x = rng.uniform(0.96, 1.05, size=2)
        return cls(
            body_scale=(scale_y, scale_x),
            organs=tuple(_draw_organs(rng)),
            brain_suv=_BRAIN_SUV * rng.uniform(0.75, 1.25),
            muscle_texture=RandomField.draw(6.0, rng),
            fascia=RandomField.draw(14.0, rng),
        )

    def body_level(self, at: Coordinates) -> np.ndarray:
        """0 on the body's axis, 1 on the skin, ``(z, y, x)``."""
        share_of_head = 1 / (1 + np.exp(-(at.z - _NECK_TO_HEAD_Z_MM) / _NECK_TO_HEAD_LENGTH_MM))
        semi_y, semi_x = (
            scale * (neck + (head - neck) * share_of_head)
            for scale, neck, head in zip(self.body_scale, _NECK_SEMI_AXES_MM, _HEAD_SEMI_AXES_MM, strict=True)
        )
        return np.sqrt((at.y / semi_y) ** 2 + (at.x / semi_x) ** 2)

    def tissues(self, at: Coordinates) -> Tissues:
        """Ideal CT and PET, without noise and blur."""
        level = self.body_level(at)
        ct = np.full(level.shape, AIR_HU)
        pet = np.zeros(level.shape)
        is_muscle = level < MUSCLE_LEVEL
        muscle_hu = MUSCLE_HU + _MUSCLE_TEXTURE_HU * self.muscle_texture.at(at)
        muscle_hu -= _FASCIA_DEPTH_HU * np.exp(-((self.fascia.at(at) / _FASCIA_WIDTH) ** 2))
        for mask, hu, suv in ((level < 1, FAT_HU, _FAT_SUV), (is_muscle, muscle_hu, _MUSCLE_SUV)):
            ct, pet = np.where(mask, hu, ct), np.where(mask, suv, pet)
        for mask, hu, suv in self._organs_bones_and_airway(at, level):
            ct[mask], pet[mask] = hu, suv
            is_muscle &= ~mask
        return Tissues(ct, pet, level, is_muscle)

    def _organs_bones_and_airway(
        self, at: Coordinates, level: np.ndarray
    ) -> Iterator[tuple[np.ndarray, float, float]]:
        for organ in self.organs:
            yield organ.shape.level(at) < 1, organ.hu, organ.suv
        yield _mandible(at), 900.0, 0.8
        yield from _spine(at)
        yield from self._skull_and_brain(at, level)
        pharynx = Ellipsoid((0.0, -14.0, 0.0), (np.inf, 7.5, 9.0))
        yield (pharynx.level(at) < 1) & (at.z < SKULL_BASE_Z_MM[0] - 10), AIR_HU, 0.0

    def _skull_and_brain(
        self, at: Coordinates, level: np.ndarray
    ) -> Iterator[tuple[np.ndarray, float, float]]:
        base, inside = (z - _SKULL_BASE_SLOPE * at.y for z in SKULL_BASE_Z_MM)
        yield (at.z > base) & (level < _SKULL_LEVELS[1]), 1000.0, 0.8
        yield (at.z > inside) & (level < _SKULL_LEVELS[0]), 35.0, self.brain_suv


def _draw_organs(rng: np.random.Generator) -> Iterator[Organ]:
    for abs_x, centre_zy, semi_axes, hu, suv in _ORGANS.values():
        for side in (-1, 1) if abs_x else (1,):
            centre = np.array([*centre_zy, side * abs_x]) + rng.normal(scale=1.5, size=3)
            semi_z, semi_y, semi_x = np.array(semi_axes) * rng.uniform(0.85, 1.15, size=3)
            shape = Ellipsoid((centre[0], centre[1], centre[2]), (semi_z, semi_y, semi_x))
            # Sides differ, as inflammation and dental work make them differ in patients.
            yield Organ(shape, hu, suv * rng.uniform(0.6, 1.4))


def _mandible(at: Coordinates) -> np.ndarray:
    outer = Ellipsoid((0.0, -6.0, 0.0), (np.inf, 46.0, 45.0)).level(at)
    inner = Ellipsoid((0.0, -6.0, 0.0), (np.inf, 39.0, 38.0)).level(at)
    # The body of the jaw in front, its two branches further up.
    height = (at.z > -4) & (at.z < np.where(at.y < -14, 14, 38))
    return (outer < 1) & (inner > 1) & (at.y < 0) & height


def _spine(at: Coordinates) -> Iterator[tuple[np.ndarray, float, float]]:
    below_skull = at.z < SKULL_BASE_Z_MM[0]
    body = Ellipsoid((0.0, 24.0, 0.0), (np.inf, 10.0, 14.0)).level(at)
    arch = Ellipsoid((0.0, 40.0, 0.0), (np.inf, 12.0, 15.0)).level(at)
    is_disc = np.mod(at.z, 18.0) < 4.0
    yield (arch < 1) & below_skull & ~is_disc, 500.0, 1.0
    yield (body < 1) & below_skull & ~is_disc, 600.0, 1.0
    yield (body < 0.8) & below_skull & ~is_disc, 280.0, 1.8
    yield (body < 1) & below_skull & is_disc, 80.0, 0.8
    canal = Ellipsoid((0.0, 39.0, 0.0), (np.inf, 7.5, 9.0))
    yield (canal.level(at) < 1) & below_skull, 25.0, 1.5
