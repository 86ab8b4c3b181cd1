"""One patient's ideal CT, PET and label on any grid: healthy anatomy, lesions and the two patterns.

Each image signal moves one thing, monotonically, and nothing else:

- ``volume``: the tumour's volume in ml, log-normal.
- ``heterogeneity``: the spread of uptake in the tumour; its mean stays.
- ``n_nodes``: the number of nodes; their sizes and uptake are drawn without regard to any signal.
- ``out_of_tumour_uptake``: the uptake of a ring of muscle under the skin, away from all labels. PET only.
- ``ct_only_pattern``: how dark the fatty streaks in the muscles behind the spine are. CT only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.ndimage import distance_transform_edt

from nnunetv2_adamss.datasets.phantom.anatomy import SKULL_BASE_Z_MM, Anatomy, Tissues
from nnunetv2_adamss.datasets.phantom.lesions import LesionSet, tumour_volume_ml
from nnunetv2_adamss.datasets.phantom.phantom_grid import Coordinates, Grid
from nnunetv2_adamss.datasets.phantom.random_field import RandomField
from nnunetv2_adamss.datasets.phantom.signals import MAX_NODES

LABELS = {"background": 0, "primary_tumour": 1, "lymph_nodes": 2}

_LESION_HU = 78.0
_TUMOUR_SUV = (4.5, 8.0)
_NODE_SUV = (4.0, 8.5)

# SD of log uptake in the tumour for an average patient, and its growth for one SD of the signal.
_MEDIAN_HETEROGENEITY = 0.25
_HETEROGENEITY_GROWTH = 0.5
_TEXTURE_LENGTH_MM = 5.0

# Ring of muscle that takes up tracer, in levels of the body ellipse.
_RING_LEVELS = (0.72, 0.88)
_MEDIAN_RING_SUV = 0.9
_RING_GROWTH = 0.5

# Streaks of fat in the muscles behind the spine.
_STREAKS_START_Y_MM = (8.0, 20.0)
_STREAKS_MAX_LEVEL = 0.84
_MEDIAN_STREAK_HU = 38.0
_STREAK_GROWTH = 0.45
_STREAK_LENGTH_MM = 5.0

# Patterns fade in over these distances from a label. The first is more than three PSF widths (sigma), so that
# no pattern is blurred into a label.
_FADE_IN_MM = (9.0, 15.0)


class IdealImages(NamedTuple):
    """Noise-free images on one grid, each ``(z, y, x)``: HU, SUV, and uint8 labels."""

    ct_hu: np.ndarray
    pet_suv: np.ndarray
    label: np.ndarray


@dataclass(frozen=True)
class Patient:
    """One patient's body, independent of a grid."""

    signals: Mapping[str, float]
    anatomy: Anatomy
    lesions: LesionSet
    tumour_suv: float
    node_suv: tuple[float, ...]
    tumour_texture: RandomField
    streaks: RandomField

    @classmethod
    def draw(cls, signals: Mapping[str, float], seed: np.random.SeedSequence) -> Patient:
        """Draw a body that shows the given image signals.

        Every part has its own random stream, so changing one signal leaves what the others show as it was.
        """
        anatomy, tumour, nodes, uptake, fields = (np.random.default_rng(s) for s in seed.spawn(5))
        tumour_ml = tumour_volume_ml(signals["volume"])
        return cls(
            signals=signals,
            anatomy=Anatomy.draw(anatomy),
            lesions=LesionSet.draw(tumour_ml, int(signals["n_nodes"]), tumour, nodes),
            tumour_suv=uptake.uniform(*_TUMOUR_SUV),
            node_suv=tuple(uptake.uniform(*_NODE_SUV, size=MAX_NODES)),
            tumour_texture=RandomField.draw(_TEXTURE_LENGTH_MM, fields),
            streaks=RandomField.draw(_STREAK_LENGTH_MM, fields),
        )

    def render(self, grid: Grid) -> IdealImages:
        """Ideal images on a grid."""
        at = grid.coordinates()
        tissues = self.anatomy.tissues(at)
        tumour, nodes = self.lesions.masks(grid, tissues.body_level)
        label = _label_map(tumour, nodes)
        free = _fade_in(label, grid)
        ct = tissues.ct_hu - free * self._streak_depth_hu(tissues, at)
        ct[label > 0] = _LESION_HU
        pet = tissues.pet_suv + free * self._ring_suv(tissues, at)
        pet[tumour] = self.tumour_suv * self._relative_uptake(self.tumour_texture.at(at)[tumour])
        for node, suv in zip(nodes, self.node_suv, strict=False):  # uptake is drawn for four nodes
            pet[node] = suv
        return IdealImages(ct, pet, label)

    def _relative_uptake(self, texture: np.ndarray) -> np.ndarray:
        # Standardised within the tumour, so that the signal and not the field's luck sets the spread, and
        # divided by the mean, so that the tumour's mean SUV does not move.
        z = (texture - texture.mean()) / max(texture.std(), 1e-6)
        sd_log = _MEDIAN_HETEROGENEITY * np.exp(_HETEROGENEITY_GROWTH * self.signals["heterogeneity"])
        uptake = np.exp(sd_log * z)
        return uptake / uptake.mean()

    def _ring_suv(self, tissues: Tissues, at: Coordinates) -> np.ndarray:
        inner, outer = _RING_LEVELS
        in_ring = (tissues.body_level > inner) & (tissues.body_level < outer) & (at.z < SKULL_BASE_Z_MM[0])
        suv = _MEDIAN_RING_SUV * np.exp(_RING_GROWTH * self.signals["out_of_tumour_uptake"])
        return suv * (in_ring & tissues.is_muscle)

    def _streak_depth_hu(self, tissues: Tissues, at: Coordinates) -> np.ndarray:
        start, full = _STREAKS_START_Y_MM
        behind_spine = np.clip((at.y - start) / (full - start), 0.0, 1.0)
        soft = tissues.is_muscle & (tissues.body_level < _STREAKS_MAX_LEVEL)
        depth = _MEDIAN_STREAK_HU * np.exp(_STREAK_GROWTH * self.signals["ct_only_pattern"])
        streaks = 1 / (1 + np.exp(-4 * self.streaks.at(at)))
        return depth * streaks * behind_spine * soft


def _label_map(tumour: np.ndarray, nodes: list[np.ndarray]) -> np.ndarray:
    label = tumour.astype(np.uint8) * LABELS["primary_tumour"]
    for node in nodes:
        label[node] = LABELS["lymph_nodes"]
    return label


def _fade_in(label: np.ndarray, grid: Grid) -> np.ndarray:
    """Return weights that are 0 near any label and 1 away from it, ``(z, y, x)``."""
    distance_mm = distance_transform_edt(label == 0, sampling=grid.spacing_mm)
    start, end = _FADE_IN_MM
    return np.clip((distance_mm - start) / (end - start), 0.0, 1.0)
