"""Table IV: means that padding has no part in, and what a new network must have."""

import numpy as np
import pandas as pd
import pytest
import torch

from nnunetv2_adamss.explanation.gate_weights import gate_weights_of_case, mean_gate_weights, table_four
from nnunetv2_adamss.networks.trunk import AdaMSSTrunk


def test_a_mean_is_over_channels_and_over_what_is_image() -> None:
    valid = torch.zeros((1, 1, 4, 2, 2))
    valid[:, :, :3] = 1
    fine = torch.zeros((1, 2, 4, 2, 2))
    fine[0, 0, :3], fine[0, 1, :3], fine[:, :, 3] = 0.2, 0.4, 100.0
    # Of the coarse voxels the first is all image, the second half.
    coarse = torch.tensor([0.3, 0.9]).reshape(1, 1, 2, 1, 1)
    assert mean_gate_weights([fine, coarse], valid) == pytest.approx([0.3, (2 * 0.3 + 0.9) / 3])


def test_a_new_network_takes_half_of_everything_from_the_fusion_branch() -> None:
    network = AdaMSSTrunk(2, [[1, 1, 1], [2, 2, 2], [1, 2, 2]], [[3, 3, 3]] * 3).eval()
    with torch.no_grad(), network.interpreted() as seen:
        network.decoder_features(torch.randn(1, 2, 8, 8, 8))
    assert mean_gate_weights(seen.w_fuse, torch.ones(1, 1, 8, 8, 8)) == [0.5, 0.5, 0.5]


def test_table_four_is_the_mean_over_cases_each_counting_the_same() -> None:
    by_case = pd.concat(
        [
            gate_weights_of_case("a", [0.1, 0.5], [0.3, 0.9]),
            gate_weights_of_case("b", [0.3, 0.5], [0.7, 0.1]),
        ]
    )
    table = table_four(by_case)
    expected = pd.DataFrame(
        {
            "encoder_stage": [1, 2],
            "stage_one": [0.2, 0.5],
            "stage_one_sd": [np.sqrt(0.02), 0.0],
            "stage_two": [0.5, 0.5],
            "stage_two_sd": [np.sqrt(0.08), np.sqrt(0.32)],
            "n_cases": [2, 2],
        }
    )
    pd.testing.assert_frame_equal(table, expected)
