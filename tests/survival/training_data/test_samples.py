"""Training crops and whole regions: sizes, seeds, padding, and that the transform moves image and padding together."""

import numpy as np
import pytest
import torch
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetDatasetBlosc2

from nnunetv2_adamss.survival.training_data.balanced_batches import SampleKey
from nnunetv2_adamss.survival.training_data.case_data import CaseData, SurvivalTargets
from nnunetv2_adamss.survival.training_data.samples import TrainingCrops, WholeRegions
from nnunetv2_adamss.survival.tumour_region.region import Region
from tests.nnunet_project import NnunetProject

REGION = Region((-4, -4, -4), (32, 32, 32))
OUTCOME = SurvivalTargets(torch.ones(3), torch.zeros(3), torch.tensor(0.0), torch.tensor(7.0))


@pytest.fixture
def cases(tiny_project: NnunetProject) -> CaseData:
    folder = tiny_project.preprocessed / "Dataset901_Tiny" / "nnUNetPlans_3d_fullres"
    return CaseData(
        nnUNetDatasetBlosc2(str(folder)), {"case_0": REGION}, {"case_0": np.zeros(2)}, {"case_0": OUTCOME}
    )


def test_a_crop_has_its_size_and_depends_on_its_seed_alone(cases: CaseData) -> None:
    crops = TrainingCrops(cases, (24, 16, 24), (1, 1, 1))
    np.random.seed(5)
    torch.manual_seed(5)
    one = crops[SampleKey("case_0", (1, 2))]
    expected_draws = np.random.uniform(), torch.rand(1)
    again, other = crops[SampleKey("case_0", (1, 2))], crops[SampleKey("case_0", (1, 3))]
    assert one["image"].shape == (2, 24, 16, 24)
    assert one["valid"].shape == (1, 24, 16, 24)
    assert torch.equal(one["image"], again["image"])
    assert torch.equal(one["valid"], again["valid"])
    assert not torch.equal(one["image"], other["image"])
    np.random.seed(5)
    torch.manual_seed(5)
    assert (np.random.uniform(), torch.rand(1)) == expected_draws


def test_padding_moves_with_the_image(cases: CaseData) -> None:
    for seed in range(5):
        sample = TrainingCrops(cases, (24, 24, 24), (1, 1, 1))[SampleKey("case_0", (seed,))]
        assert set(sample["valid"].unique().tolist()) <= {0.0, 1.0}
        # Image voxels have noise in both channels; a voxel beside the border may have a part of it.
        inner = torch.nn.functional.max_pool3d(sample["valid"], 3, 1, 1) == 0
        assert sample["image"][inner.expand(2, -1, -1, -1)].abs().max() == 0
        assert (sample["image"][0][sample["valid"][0] == 1] != 0).float().mean() > 0.99


def test_intensities_are_not_changed(cases: CaseData) -> None:
    region = WholeRegions(cases, (4, 4, 4))["case_0"]["image"]
    for seed in range(5):
        crop = TrainingCrops(cases, (24, 24, 24), (1, 1, 1))[SampleKey("case_0", (seed,))]["image"]
        assert crop.min() >= min(region.min(), 0)
        assert crop.max() <= region.max()


def test_crops_are_rotated_scaled_and_moved_but_never_mirrored(tiny_project: NnunetProject) -> None:
    """A ramp along each axis shows how a crop's axes lie in the region's."""
    ramp = np.stack(np.meshgrid(*[np.arange(40.0)] * 3, indexing="ij")).astype(np.float32)

    class Ramps:
        def load_case(self, case_id: str) -> tuple[np.ndarray, None, None, None]:
            return ramp, None, None, None

    cases = CaseData(
        Ramps(), {"ramp": Region((0, 0, 0), (40, 40, 40))}, {"ramp": np.zeros(0)}, {"ramp": OUTCOME}
    )
    centres, slopes = [], []
    for seed in range(100):
        sample = TrainingCrops(cases, (28, 28, 28), (1, 1, 1))[SampleKey("ramp", (seed,))]
        middle = sample["image"][:, 13:15, 13:15, 13:15]
        centres.append(middle.mean(dim=(1, 2, 3)).numpy() + 0.5)
        slopes.append([(middle[axis].diff(dim=axis)).mean().item() for axis in range(3)])
    # The centre keeps half a crop less a tenth of the region from the border: from 10 to 30 of 40 voxels.
    assert np.min(centres) >= 10 - 1e-3
    assert np.max(centres) <= 30 + 1e-3
    assert np.min(centres) < 12
    assert np.max(centres) > 28
    # A step in the crop is 0.9 to 1.1 voxels, less what rotations of up to 10 degrees about two axes take away.
    assert 0.9 * np.cos(np.deg2rad(10)) ** 2 - 0.02 <= np.min(slopes) < 0.93
    assert 1.05 < np.max(slopes) <= 1.1 + 1e-3


def test_where_voxels_are_no_cubes_angles_are_smaller_by_the_ratio_of_the_two_sides_that_turn(
    cases: CaseData,
) -> None:
    crops = TrainingCrops(cases, (24, 24, 24), (4.0, 1.0, 2.0))
    np.random.seed(0)
    for axis, degrees in ((0, 10 * 1 / 2), (1, 10 * 2 / 4), (2, 10 * 1 / 4)):
        angles = np.rad2deg([crops._angle(torch.empty(0), axis) for _ in range(2000)])
        assert 0.98 * degrees < angles.max() <= degrees
        assert 0.98 * degrees < -angles.min() <= degrees


def test_the_tumour_moves_with_the_image_and_changes_nothing_else(tiny_project: NnunetProject) -> None:
    """An image that is its own reference: 0 outside, 1 and 2 are labels, 3 is ignored, -1 is nnU-Net's outside."""
    reference = np.random.default_rng(0).integers(-1, 4, (1, 8, 8, 8)).repeat(5, 1).repeat(5, 2).repeat(5, 3)

    class Labels:
        def load_case(self, case_id: str) -> tuple[np.ndarray, np.ndarray, None, None]:
            return np.isin(reference, (1, 2)).astype(np.float32), reference.astype(np.int8), None, None

    region = Region((-6, 0, 0), (40, 40, 40))
    cases = CaseData(Labels(), {"case": region}, {"case": np.zeros(0)}, {"case": OUTCOME})
    with_tumour = TrainingCrops(cases, (28, 28, 28), (1, 1, 1), with_tumour=True, ignore_label=3)
    without = TrainingCrops(cases, (28, 28, 28), (1, 1, 1))
    for seed in range(5):
        sample, plain = (crops[SampleKey("case", (seed,))] for crops in (with_tumour, without))
        assert sample["tumour"].shape == (2, 28, 28, 28)
        tumour, ignored = sample["tumour"]
        assert not (tumour * ignored).any()
        assert ignored.any()
        # The image is interpolated, the tumour takes the nearest voxel.
        assert ((sample["image"][0] > 0.5) != (tumour == 1)).float().mean() < 0.08
        assert torch.equal(sample["image"], plain["image"])
        assert torch.equal(sample["valid"], plain["valid"])
        assert "tumour" not in plain


def test_a_whole_region_is_the_image_as_it_is_with_little_padding(cases: CaseData) -> None:
    sample = WholeRegions(cases, (16, 16, 16))["case_0"]
    image = cases.dataset.load_case("case_0")[0][:]
    assert sample["image"].shape == (2, 32, 32, 32)
    assert sample["valid"].sum() == image[0].size
    assert WholeRegions(cases, (4, 4, 4))["case_0"]["image"].shape == (2, 24, 24, 24)
    np.testing.assert_array_equal(sample["image"][:, :24, :24, :24], image)
