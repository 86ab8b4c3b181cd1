"""Sizes of the network, against Fig. 2 of the paper."""

import pytest

from nnunetv2_adamss.networks.stages import Stages


def isotropic_stages(n_stages: int) -> Stages:
    return Stages([[1, 1, 1]] + [[2, 2, 2]] * (n_stages - 1), [[3, 3, 3]] * n_stages)


def test_five_stages_have_the_sizes_of_figure_2() -> None:
    stages = isotropic_stages(5)
    assert stages.n_convs == [2, 3, 3, 4, 4]
    assert stages.modality_channels == [8, 16, 32, 64, 128]
    assert stages.fusion_channels == [16, 32, 64, 128, 256]
    assert stages.total_stride == [16, 16, 16]


def test_deeper_stages_double_up_to_320_channels() -> None:
    stages = isotropic_stages(8)
    assert stages.n_convs == [2, 3, 3, 4, 4, 4, 4, 4]
    assert stages.modality_channels == [8, 16, 32, 64, 128, 256, 320, 320]
    assert stages.fusion_channels == [16, 32, 64, 128, 256, 320, 320, 320]


def test_a_patch_that_the_strides_do_not_divide_is_refused_with_both_sizes() -> None:
    stages = Stages([[1, 1, 1], [1, 2, 2], [2, 2, 2]], [[1, 3, 3], [3, 3, 3], [3, 3, 3]])
    stages.check_image_size([2, 4, 8])
    with pytest.raises(ValueError, match=r"\[2, 6, 8\] does not fit.*multiple of \[2, 4, 4\]"):
        stages.check_image_size([2, 6, 8])
    with pytest.raises(ValueError, match="3 axes"):
        stages.check_image_size([8, 8])


@pytest.mark.parametrize(
    ("strides", "kernel_sizes", "message"),
    [
        ([[1, 1, 1]], [[3, 3, 3]], "1 stage"),
        ([[1, 1, 1], [2, 2, 2]], [[3, 3, 3]], "2 strides but 1 kernel sizes"),
        ([[2, 1, 1], [2, 2, 2]], [[3, 3, 3]] * 2, r"first stride is \[2, 1, 1\]"),
        ([[1, 1, 1], [2, 2, 2]], [[3, 3, 3], [3, 2, 3]], "odd kernel sizes"),
    ],
)
def test_stages_that_cannot_be_built_are_refused(
    strides: list[list[int]], kernel_sizes: list[list[int]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Stages(strides, kernel_sizes)
