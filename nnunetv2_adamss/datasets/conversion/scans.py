"""The scans of one patient as they were published, from files of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import SimpleITK as sitk

from nnunetv2_adamss.common.voxel_grid import VoxelGrid

AIR_HU = -1024.0


@dataclass(frozen=True)
class Scans:
    """The images of a patient before they come to one grid.

    Args:
        ct: HU, from -1024, float32.
        pet: SUV, or Bq/ml.
        mask: labels, uint8; None for a patient without one.
        grids: of each image as stored, by ``ct``, ``pet`` and ``mask``.
        log: entries of the conversion log on where the images come from.
        warnings: on the files.
        no_suv: why the PET is in Bq/ml and needs a factor; empty if it needs none.
    """

    ct: sitk.Image
    pet: sitk.Image
    mask: sitk.Image | None
    grids: Mapping[str, VoxelGrid]
    log: Mapping[str, Any]
    warnings: Sequence[str] = field(default_factory=tuple)
    no_suv: str = ""


def clipped_at_air(ct: sitk.Image) -> sitk.Image:
    """Return a CT without the -2000 or -3024 outside of a scanner's field of view, which interpolation would mix in."""
    return sitk.Maximum(sitk.Cast(ct, sitk.sitkFloat32), AIR_HU)


class PatientSource(Protocol):
    """A patient whose scans can be read."""

    @property
    def case_id(self) -> str:
        """Name of the patient in the data set."""

    @property
    def has_mask(self) -> bool:
        """True for a patient who can be trained on, not only predicted."""

    def stamps(self) -> Mapping[str, Any]:
        """Return plain data that differ once a source file has changed.

        Raises:
            ValueError: if a file is missing.
        """

    def read(self, labels: Mapping[str, int]) -> Scans:
        """Read the images.

        Args:
            labels: values that the mask may have, by name.

        Raises:
            ValueError: if one cannot be read.
        """
