"""One case to explain: the network's inputs, and their place in the image."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from nnunetv2_adamss.explanation.image_geometry import ImageGeometry
from nnunetv2_adamss.explanation.region_space import RegionSpace


@dataclass(frozen=True, eq=False)
class ExplainedCase:
    """A case as validation sees it.

    Args:
        case_id: nnU-Net's.
        image: ``(1, n_modalities, *space)``, normalised.
        valid: ``(1, 1, *space)``, 1 where the image is, 0 where it is padding.
        covariates: ``(1, n_covariates)``.
        space: place of the region in the image.
        properties: nnU-Net's, of the case.
    """

    case_id: str
    image: Tensor
    valid: Tensor
    covariates: Tensor
    space: RegionSpace
    properties: Mapping[str, Any] = field(repr=False)

    @cached_property
    def geometry(self) -> ImageGeometry:
        """Position and axes of the image in the patient."""
        return ImageGeometry.of_case(self.properties)

    def in_box(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Resample a map of the region, of any resolution, to the image's voxels in the region."""
        stride = [fine // coarse for fine, coarse in zip(self.image.shape[2:], values.shape, strict=True)]
        return self.space.in_box(values, stride)

    def write(self, in_box: NDArray[np.float32], file: Path) -> None:
        """Write such a map as NIfTI on the image's grid; 0 outside the region."""
        self.geometry.write(self.space.in_image(in_box), file)
