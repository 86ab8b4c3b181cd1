"""The sizes of the network, stage by stage, from the plan and the paper (Fig. 2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

# Fig. 2: convolutions in a residual block, and channels, of the first stages.
_N_CONVS = (2, 3, 3, 4)
_FIRST_MODALITY_CHANNELS = 8
_FIRST_FUSION_CHANNELS = 16
# choice: the paper has five stages; a deeper plan keeps doubling up to nnU-Net's own limit for 3D.
_MAX_CHANNELS = 320


@dataclass(frozen=True)
class Stages:
    """The stages of one network, from full resolution to the deepest.

    Args:
        strides: pooling before each stage, one number an axis; the first stage has stride 1.
        kernel_sizes: of the convolutions of each stage, odd, one number an axis.

    Raises:
        ValueError: if there are fewer than two stages, the two lists do not fit each other, the first stride
            is not 1 or a kernel size is even.
    """

    strides: Sequence[Sequence[int]]
    kernel_sizes: Sequence[Sequence[int]]

    def __post_init__(self) -> None:
        if len(self.strides) != len(self.kernel_sizes):
            raise ValueError(
                f"The plan has {len(self.strides)} strides but {len(self.kernel_sizes)} kernel sizes; "
                "AdaMSS needs one of each for every stage."
            )
        if len(self.strides) < 2:
            raise ValueError(
                f"The plan has {len(self.strides)} stage(s), but AdaMSS needs at least 2: its attention gates "
                "take their context from a deeper stage. Plan with larger images or patches."
            )
        if any(stride != 1 for stride in self.strides[0]):
            raise ValueError(
                f"The plan's first stride is {list(self.strides[0])}, but AdaMSS needs 1 on every axis: its "
                "first stage works at full resolution."
            )
        if any(size % 2 == 0 for kernel_size in self.kernel_sizes for size in kernel_size):
            raise ValueError(f"AdaMSS needs odd kernel sizes, but the plan has {list(self.kernel_sizes)}.")

    def __len__(self) -> int:
        return len(self.strides)

    @property
    def n_dimensions(self) -> int:
        """Number of spatial axes, 2 or 3."""
        return len(self.kernel_sizes[0])

    @property
    def n_convs(self) -> list[int]:
        """Convolutions in the residual block of each stage: 2, 3, 3, 4, and 4 from there on."""
        return [_N_CONVS[min(i, len(_N_CONVS) - 1)] for i in range(len(self))]

    @property
    def modality_channels(self) -> list[int]:
        """Channels of a single-modality branch: 8, 16, 32, 64, 128, ..."""
        return [min(_FIRST_MODALITY_CHANNELS * 2**i, _MAX_CHANNELS) for i in range(len(self))]

    @property
    def fusion_channels(self) -> list[int]:
        """Channels of the fusion branch and the decoder: 16, 32, 64, 128, 256, ..."""
        return [min(_FIRST_FUSION_CHANNELS * 2**i, _MAX_CHANNELS) for i in range(len(self))]

    @property
    def total_stride(self) -> list[int]:
        """Voxels of the image for one voxel of the deepest stage, per axis."""
        return [prod(axis) for axis in zip(*self.strides, strict=True)]

    def check_image_size(self, size: Sequence[int]) -> None:
        """Raise ValueError if a side of the image or patch is not a multiple of the product of strides."""
        if len(size) != self.n_dimensions:
            raise ValueError(f"Expected an image of {self.n_dimensions} axes, but its size is {list(size)}.")
        if any(side % stride for side, stride in zip(size, self.total_stride, strict=True)):
            raise ValueError(
                f"The patch size {list(size)} does not fit the strides: each side must be a multiple of "
                f"{self.total_stride}. Change patch_size in the plans file, or plan again."
            )
