"""The labelled lesions: where the tumour and the nodes lie, and which voxels they take.

A lesion is a radius for each direction from its centre (a star-shaped body), scaled to an exact volume. A
grid then gives it the voxels nearest to the centre, in units of that radius, until the volume is full: the
volume is right to half a voxel on every grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunetv2_adamss.datasets.phantom.phantom_grid import Coordinates, Grid

MEDIAN_TUMOUR_ML = 12.0
# Log-normal spread: the largest tumour, at +2.5 SD, has 42 ml.
SIGMA_LOG_TUMOUR = 0.5
# Lesions stay inside this level of the body ellipse, so within muscle.
MAX_BODY_LEVEL = 0.86
# More than the diagonal of the largest voxel allowed, so that two nodes can never touch.
_NODE_GAP_MM = 9.0
_NODE_RADIUS_MM = (6.0, 8.5)
_N_LOBES = 6
_LOBE_SD = 0.16
_N_NODE_CANDIDATES = 1500
_N_NODE_ATTEMPTS = 40


def tumour_volume_ml(volume_signal: float) -> float:
    """The tumour's volume for a value of the ``volume`` signal (in SD): log-normal, median 12 ml."""
    return MEDIAN_TUMOUR_ML * float(np.exp(SIGMA_LOG_TUMOUR * volume_signal))


@dataclass(frozen=True)
class Lesion:
    """A star-shaped body: an ellipsoid with low-frequency bumps.

    Args:
        centre_mm: (z, y, x).
        to_unit_sphere: (3, 3), takes an offset from the centre in mm to the sphere.
        lobe_directions: (n_lobes, 3), wave vectors on the unit sphere.
        lobe_phases: (n_lobes,), radians.
        lobe_sd: SD of the log radius over directions; 0 gives an ellipsoid.
    """

    centre_mm: np.ndarray
    to_unit_sphere: np.ndarray
    lobe_directions: np.ndarray
    lobe_phases: np.ndarray
    lobe_sd: float

    @classmethod
    def draw(
        cls,
        centre_mm: np.ndarray,
        volume_ml: float,
        elongation: float,
        lobe_sd: float,
        rng: np.random.Generator,
    ) -> Lesion:
        """Draw a shape of the given volume; log semi-axes are uniform in +-``elongation`` around the mean."""
        log_axes = rng.uniform(-elongation, elongation, size=3)
        axes = np.exp(log_axes - log_axes.mean())
        rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        directions = rng.normal(scale=1.6, size=(_N_LOBES, 3))
        shape = cls(centre_mm, (rotation / axes).T, directions, rng.uniform(0, 2 * np.pi, _N_LOBES), lobe_sd)
        # V = 1/3 * integral of R^3 over the sphere = 4/3 pi * mean(R^3)
        mean_cube = float(np.mean(shape._radii_mm() ** 3))
        scale = (volume_ml * 1000.0 / (4.0 / 3.0 * np.pi * mean_cube)) ** (1 / 3)
        return cls(centre_mm, shape.to_unit_sphere / scale, directions, shape.lobe_phases, lobe_sd)

    @property
    def bounding_radius_mm(self) -> float:
        """Largest distance from the centre, with room for parts that move inwards from beneath the skin."""
        return 1.12 * float(self._radii_mm().max())

    def level(self, at: Coordinates) -> np.ndarray:
        """0 in the centre, 1 on the surface, larger outside, ``(z, y, x)``."""
        offsets = [axis - c for axis, c in zip(at, self.centre_mm, strict=True)]
        u = [row[0] * offsets[0] + row[1] * offsets[1] + row[2] * offsets[2] for row in self.to_unit_sphere]
        distance = np.sqrt(u[0] ** 2 + u[1] ** 2 + u[2] ** 2)
        towards = np.stack(u, axis=-1) / np.maximum(distance, 1e-9)[..., None]
        return distance / self._bumps(towards)

    def mask(self, grid: Grid, allowed: np.ndarray, volume_ml: float) -> np.ndarray:
        """The ``volume_ml`` of allowed voxels nearest to the centre (at least one), bool ``(z, y, x)``."""
        level = np.where(allowed, self.level(grid.coordinates()), np.inf).ravel()
        n_voxels = min(max(1, round(volume_ml / grid.voxel_volume_ml)), level.size - 1)
        mask = np.zeros(level.size, dtype=bool)
        mask[np.argpartition(level, n_voxels)[:n_voxels]] = True
        return mask.reshape(grid.shape)

    def _bumps(self, towards: np.ndarray) -> np.ndarray:
        waves = np.cos(towards @ self.lobe_directions.T + self.lobe_phases).sum(axis=-1)
        return np.exp(self.lobe_sd * np.sqrt(2 / _N_LOBES) * waves)

    def _radii_mm(self) -> np.ndarray:
        directions = _even_directions()
        mapped = directions @ self.to_unit_sphere.T
        length = np.linalg.norm(mapped, axis=1)
        return self._bumps(mapped / length[:, None]) / length


@dataclass(frozen=True)
class LesionSet:
    """One patient's tumour and nodes, with their volumes in ml."""

    tumour: Lesion
    tumour_ml: float
    nodes: tuple[Lesion, ...]
    node_ml: tuple[float, ...]

    @classmethod
    def draw(
        cls, volume_ml: float, n_nodes: int, tumour_rng: np.random.Generator, node_rng: np.random.Generator
    ) -> LesionSet:
        """Draw a tumour beside the pharynx and nodes along both sides of the neck, apart from each other."""
        side = tumour_rng.choice([-1.0, 1.0])
        centre = np.array(
            [tumour_rng.uniform(-24, 20), tumour_rng.uniform(-30, -6), side * tumour_rng.uniform(16, 28)]
        )
        tumour = Lesion.draw(centre, volume_ml, 0.25, _LOBE_SD, tumour_rng)
        # Sizes are drawn for all four, so that the first node is the same whether or not a second one exists.
        radii = node_rng.uniform(*_NODE_RADIUS_MM, size=4)[:n_nodes]
        centres = _place_nodes(radii, tumour, node_rng)
        node_ml = tuple(4.0 / 3.0 * np.pi * (r / 10.0) ** 3 for r in radii)
        nodes = tuple(Lesion.draw(c, ml, 0.12, 0.0, node_rng) for c, ml in zip(centres, node_ml, strict=True))
        return cls(tumour, volume_ml, nodes, node_ml)

    def masks(self, grid: Grid, body_level: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        """The voxels of the tumour and of each node, boolean ``(z, y, x)``; they never touch."""
        allowed = body_level < MAX_BODY_LEVEL
        tumour = self.tumour.mask(grid, allowed, self.tumour_ml)
        nodes = [node.mask(grid, allowed, ml) for node, ml in zip(self.nodes, self.node_ml, strict=True)]
        return tumour, nodes


def _place_nodes(radii_mm: np.ndarray, tumour: Lesion, rng: np.random.Generator) -> list[np.ndarray]:
    for _ in range(_N_NODE_ATTEMPTS):
        centres = _try_to_place_nodes(radii_mm, tumour, rng)
        if len(centres) == len(radii_mm):
            return centres
    raise RuntimeError(f"Found no room for {len(radii_mm)} nodes after {_N_NODE_ATTEMPTS} attempts.")


def _try_to_place_nodes(radii_mm: np.ndarray, tumour: Lesion, rng: np.random.Generator) -> list[np.ndarray]:
    candidates = np.column_stack(
        [
            rng.uniform(-64, 14, _N_NODE_CANDIDATES),
            rng.uniform(-8, 20, _N_NODE_CANDIDATES),
            rng.choice([-1.0, 1.0], _N_NODE_CANDIDATES) * rng.uniform(30, 38, _N_NODE_CANDIDATES),
        ]
    )
    taken = [(tumour.centre_mm, tumour.bounding_radius_mm)]
    for radius in radii_mm:
        # An ellipsoid of elongation 0.12 reaches at most exp(0.16) of its mean radius.
        bound = 1.2 * radius
        is_free = np.all(
            [np.linalg.norm(candidates - c, axis=1) > r + bound + _NODE_GAP_MM for c, r in taken], axis=0
        )
        if not is_free.any():
            break
        taken.append((candidates[np.argmax(is_free)], bound))
    return [centre for centre, _ in taken[1:]]


def _even_directions(n: int = 600) -> np.ndarray:
    # A Fibonacci lattice: nearly equal areas, so that means over it are means over the sphere.
    i = np.arange(n) + 0.5
    z = 1 - 2 * i / n
    azimuth = np.pi * (1 + np.sqrt(5)) * i
    radius = np.sqrt(1 - z**2)
    return np.column_stack([z, radius * np.cos(azimuth), radius * np.sin(azimuth)])
