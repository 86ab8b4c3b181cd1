"""Pooling over what is image."""

import torch

from nnunetv2_adamss.networks.masked_mean import masked_mean, share_of_image


def test_voxels_count_by_their_share_of_image() -> None:
    features = torch.tensor([3.0, 6.0, 100.0]).reshape(1, 1, 3, 1, 1)
    share = torch.tensor([1.0, 0.5, 0.0]).reshape(1, 1, 3, 1, 1)
    torch.testing.assert_close(masked_mean(features, share), torch.tensor([[(3 + 3) / 1.5]]))


def test_the_share_of_features_that_are_a_fraction_of_the_image_is_the_mean_of_their_voxels() -> None:
    valid = (torch.rand(2, 1, 8, 4, 12) > 0.5).float()
    expected = valid.reshape(2, 1, 4, 2, 4, 1, 3, 4).mean(dim=(3, 5, 7))
    torch.testing.assert_close(share_of_image(valid, (4, 4, 3)), expected)


def test_the_share_of_features_that_do_not_divide_the_image_lies_between_0_and_1() -> None:
    valid = torch.zeros(1, 1, 23, 5, 1)
    valid[:, :, :12] = 1
    share = share_of_image(valid, (5, 2, 1))
    assert share.min() == 0
    assert share.max() == 1
    assert torch.equal(share[0, 0, :, 0, 0].sort(descending=True).values, share[0, 0, :, 0, 0])
