"""Smooth random fields that are functions of position, so that grids of any spacing sample the same field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nnunetv2_adamss.datasets.phantom.phantom_grid import Coordinates

_N_WAVES = 48


@dataclass(frozen=True)
class RandomField:
    """A sum of plane waves with Gaussian wave vectors: nearly Gaussian, mean 0, variance 1.

    Args:
        wave_vectors: (n_waves, 3), radians per mm, (z, y, x).
        phases: (n_waves,), radians.
    """

    wave_vectors: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, correlation_length_mm: float, rng: np.random.Generator) -> RandomField:
        """Draw a field whose correlation falls to exp(-1/2) at the given distance."""
        wave_vectors = rng.normal(scale=1.0 / correlation_length_mm, size=(_N_WAVES, 3))
        return cls(wave_vectors, rng.uniform(0, 2 * np.pi, _N_WAVES))

    def at(self, coordinates: Coordinates) -> np.ndarray:
        """Values on a grid, ``(z, y, x)``."""
        # A plane wave is a product of one factor an axis, so the sum over waves is one matrix product.
        z, y, x = (
            np.exp(1j * np.outer(k, axis.ravel()))
            for axis, k in zip(coordinates, self.wave_vectors.T, strict=True)
        )
        z *= np.exp(1j * self.phases)[:, None]
        zy = np.einsum("wz,wy->wzy", z, y)
        # einsum, not BLAS: files must not depend on how many threads shared the sum.
        real = np.einsum("wzy,wx->zyx", zy.real, x.real) - np.einsum("wzy,wx->zyx", zy.imag, x.imag)
        return np.asarray(np.sqrt(2.0 / _N_WAVES) * real)
