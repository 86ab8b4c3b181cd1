"""Images and mask of one patient, in radiological orientation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import SimpleITK as sitk
from numpy.typing import NDArray

from nnunetv2_adamss.common.images import MASK, read_on_one_grid, tumour_of
from nnunetv2_adamss.metrics.lesions_of_mask import find_lesions
from nnunetv2_adamss.survival.nnunet_data.modalities import Modality, modalities


@dataclass(frozen=True)
class Channel:
    """One image of a patient.

    Args:
        name: as dataset.json has it, such as ``PET``.
        file: the image.
        modality: None if it is unknown from the names.
    """

    name: str
    file: Path
    modality: Modality | None = None


def pet_of(channels: Sequence[Channel]) -> Path | None:
    """Return the file of the PET, if it is known which image it is."""
    return next((channel.file for channel in channels if channel.modality == "PET"), None)


def channels_of(names: Sequence[str], files: Sequence[Path]) -> list[Channel]:
    """Return the images of a patient, in nnU-Net's order; one file for each name."""
    return [Channel(*one) for one in zip(names, files, modalities(names), strict=True)]


@dataclass(frozen=True, eq=False)
class Volume:
    """An image whose axes run from feet to head, front to back, and right to left of the patient.

    Args:
        values: ``(z, y, x)``.
        spacing_mm: ``(z, y, x)``.
    """

    values: NDArray
    spacing_mm: tuple[float, ...]

    @classmethod
    def of(cls, image: sitk.Image) -> "Volume":
        """Turn an image to these axes."""
        turned = sitk.DICOMOrient(image, "LPS")
        return cls(sitk.GetArrayFromImage(turned), turned.GetSpacing()[::-1])


@dataclass(frozen=True, eq=False)
class PatientVolumes:
    """Shown images of a patient, with the mask.

    Args:
        images: CT, then PET, or the first two channels if neither is known.
        mask: True in the tumour, on the images' grid.
    """

    images: Mapping[Channel, Volume]
    mask: Volume

    @classmethod
    def read(
        cls, channels: Sequence[Channel], mask_file: Path, ignore_label: int | None = None
    ) -> "PatientVolumes":
        """Read the images that are shown, and the mask.

        Args:
            channels: images of the patient.
            mask_file: with the labels of the data set.
            ignore_label: the value of the mask that is no tumour, or None.

        Raises:
            ValueError: if a file is missing or broken, grids differ, or axes are not at right angles.
        """
        shown = _shown(channels)
        read = read_on_one_grid({str(channel.file): channel.file for channel in shown}, mask_file)
        mask = Volume.of(read[MASK].itk())
        images = {channel: Volume.of(read[str(channel.file)].itk()) for channel in shown}
        return cls(images, Volume(tumour_of(mask.values, ignore_label), mask.spacing_mm))

    @cached_property
    def lesions(self) -> list[NDArray]:
        """Indices of the voxels of each lesion, ``(n_voxels, 3)`` in z, y and x, the largest first."""
        return find_lesions(self.mask.values)


def _shown(channels: Sequence[Channel]) -> list[Channel]:
    known = {c.modality: c for c in channels if c.modality is not None}
    return [known[modality] for modality in sorted(known)] or list(channels[:2])
