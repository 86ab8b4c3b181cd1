"""Occlusion against models whose answer is known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from nnunetv2_adamss.explanation.occlusion import blocks, occlusion_map, risk_and_channel_changes

SIZE = (8, 6, 4)


def linear_model(weights: Tensor) -> tuple[Tensor, "Model"]:
    """A random image, and a risk that is a weighted sum of it."""
    image = torch.randn((1, *weights.shape), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return image, Model(weights)


class Model:
    """Counts how many images it saw in each forward pass."""

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights
        self.batches: list[int] = []

    def __call__(self, image: Tensor) -> NDArray[np.float64]:
        self.batches.append(len(image))
        return (image * self.weights).sum(dim=(1, 2, 3, 4)).numpy()


WEIGHTS = torch.randn((2, *SIZE), generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("channels", [[0, 1], [1]])
@pytest.mark.parametrize("batch_size", [1, 5])
def test_a_block_of_a_linear_model_changes_the_risk_by_its_own_part(
    channels: list[int], batch_size: int
) -> None:
    image, model = linear_model(WEIGHTS)
    before = image.clone()
    windows = blocks(SIZE, (4, 3, 2), (4, 3, 2))
    change = occlusion_map(model, image, windows, channels=channels, batch_size=batch_size)
    part = (image[0] * WEIGHTS)[channels].sum(0).numpy()
    sums = part.reshape(2, 4, 2, 3, 2, 2).sum(axis=(1, 3, 5))
    np.testing.assert_allclose(change, sums.repeat(4, 0).repeat(3, 1).repeat(2, 2), rtol=1e-5)
    assert max(model.batches) == batch_size
    assert torch.equal(image, before)


def test_overlapping_blocks_give_the_mean_of_those_that_cover_a_place() -> None:
    weights = torch.zeros((2, 4, 1, 1), dtype=torch.float64)
    weights[0, 1] = 1
    image = torch.full((1, 2, 4, 1, 1), 6.0, dtype=torch.float64)
    windows = blocks((4, 1, 1), (2, 1, 1), (1, 1, 1))  # rows 0-1, 1-2, 2-3
    change = occlusion_map(Model(weights), image, windows, channels=[0], batch_size=2)
    assert change.ravel().tolist() == [6, 6, 3, 0]


def test_what_no_block_covers_is_zero() -> None:
    image, model = linear_model(WEIGHTS)
    change = occlusion_map(model, image, blocks((4, 4, 4), (2, 2, 2), (2, 2, 2)), channels=[0], batch_size=8)
    assert not change[4:].any() and not change[:, 4:].any()
    assert change[:4, :4].all()


def test_progress_counts_every_block() -> None:
    image, model = linear_model(WEIGHTS)
    done: list[int] = []
    windows = blocks(SIZE, (4, 3, 2), (4, 3, 2))
    occlusion_map(model, image, windows, channels=[0], batch_size=3, on_done=done.append)
    assert done == [3, 3, 2]


def test_a_whole_modality_changes_the_risk_by_its_own_part() -> None:
    image, model = linear_model(WEIGHTS)
    risk, changes = risk_and_channel_changes(model, image)
    parts = (image[0] * WEIGHTS).sum(dim=(1, 2, 3)).tolist()
    assert risk == pytest.approx(sum(parts))
    assert changes == pytest.approx(parts)


@given(st.integers(1, 40), st.integers(1, 50), st.data())
def test_blocks_cover_all_of_the_box_and_nothing_else(side: int, block: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(1, block))
    windows = [window for (window,) in blocks([side], [block], [step])]
    covered = {i for window in windows for i in range(window.start, window.stop)}
    assert covered == set(range(side))
    assert {window.stop - window.start for window in windows} == {min(block, side)}
    starts = [window.start for window in windows]
    assert max(np.diff(starts), default=0) <= step
    # One fewer would leave more than a step between two.
    assert (len(windows) - 2) * step < max(side - block, 1)
