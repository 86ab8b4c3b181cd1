"""Samples for the survival network: augmented crops in training, whole regions otherwise."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from batchgeneratorsv2.transforms.spatial.spatial import SpatialTransform
from torch.utils.data import Dataset

from nnunetv2_adamss.common.images import tumour_of
from nnunetv2_adamss.survival.training_data.balanced_batches import SampleKey
from nnunetv2_adamss.survival.training_data.case_data import CaseData, Sample
from nnunetv2_adamss.survival.tumour_region.region import (
    Region,
    read_region,
    read_within_image,
)

_ROTATION = np.deg2rad(10)
_SCALING = (0.9, 1.1)
_TRANSLATION = 0.1


class TrainingCrops(Dataset[Sample]):
    """Random crops of randomly transformed regions (Section 4.2).

    deviation: the paper's affine transform is not specified; here rotations of up to 10 degrees, scales of 0.9 to
    1.1 and translations of up to 10% of the region, by nnU-Net's library, which has no shear.

    Args:
        cases: the training cases.
        crop_size: in voxels, per axis.
        spacing_mm: of the preprocessed voxels, per axis.
        ignore_label: of the data set, needed with ``with_tumour``; None if there is none.
        with_tumour: add ``tumour`` to every sample, ``(2, *space)`` of 0 and 1: voxels with any label in the
            reference, and ignored voxels, as nnU-Net appends them to regions.
    """

    def __init__(
        self,
        cases: CaseData,
        crop_size: Sequence[int],
        spacing_mm: Sequence[float],
        *,
        with_tumour: bool = False,
        ignore_label: int | None = None,
    ) -> None:
        self.cases = cases
        self.with_tumour = with_tumour
        self.ignore_label = ignore_label
        self.crop_size = tuple(crop_size)
        self.spacing_mm = tuple(spacing_mm)

    def __getitem__(self, key: SampleKey) -> Sample:
        region = self.cases.regions[key.case_id]
        data, reference, _, _ = self.cases.dataset.load_case(key.case_id)
        image, masks = read_region(data, region)
        if self.with_tumour:
            labels = read_region(reference, region)[0].astype(np.int16)
            tumour = tumour_of(labels, self.ignore_label)
            ignored = np.zeros_like(tumour) if self.ignore_label is None else labels == self.ignore_label
            masks = np.concatenate([masks, tumour.astype(masks.dtype), ignored.astype(masks.dtype)])
        with _seeded(key.seed):
            augmented = self._transform(region)(
                image=torch.from_numpy(image), segmentation=torch.from_numpy(masks)
            )
        valid, tumour = augmented["segmentation"].split([1, len(masks) - 1])
        sample = self.cases.sample(key.case_id, augmented["image"], valid)
        return {**sample, "tumour": tumour} if self.with_tumour else sample

    def _transform(self, region: Region) -> SpatialTransform:
        # A crop that lies in the region, moved by the translation: its centre may come this near to the border.
        nearest = [
            crop / 2 - _TRANSLATION * side for crop, side in zip(self.crop_size, region.size, strict=True)
        ]
        return SpatialTransform(
            self.crop_size,
            patch_center_dist_from_border=nearest,
            random_crop=True,
            p_rotation=1,
            rotation=self._angle,
            p_scaling=1,
            scaling=_SCALING,
            p_synchronize_scaling_across_axes=0,
            bg_style_seg_sampling=False,
            mode_seg="nearest",
        )

    def _angle(self, image: torch.Tensor, dim: int) -> float:
        """Draw an angle about one axis, in radians."""
        # The library turns voxels, not millimetres, which shears anisotropic ones. A smaller angle keeps every
        # point within the distance, in mm, that 10 degrees would move it.
        first, second = (spacing for axis, spacing in enumerate(self.spacing_mm) if axis != dim)
        limit = _ROTATION * min(first, second) / max(first, second)
        return float(np.random.uniform(-limit, limit))


class WholeRegions(Dataset[Sample]):
    """Whole regions without augmentation, with no more padding than the strides need.

    Args:
        cases: the cases to predict.
        total_stride: voxels that the sides must be multiples of, per axis.
    """

    def __init__(self, cases: CaseData, total_stride: Sequence[int]) -> None:
        self.cases = cases
        self.total_stride = tuple(total_stride)

    def __getitem__(self, case_id: str) -> Sample:
        data = self.cases.dataset.load_case(case_id)[0]
        image, valid = read_within_image(data, self.cases.regions[case_id], self.total_stride)
        return self.cases.sample(case_id, torch.from_numpy(image), torch.from_numpy(valid))


@contextmanager
def _seeded(seed: tuple[int, ...]) -> Iterator[None]:
    """Seed the global generators that the augmentation library draws from, and restore them afterwards."""
    numpy_seed, torch_seed = np.random.SeedSequence(seed).generate_state(2)
    numpy_state = np.random.get_state()
    np.random.seed(numpy_seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(torch_seed))
        try:
            yield
        finally:
            np.random.set_state(numpy_state)
