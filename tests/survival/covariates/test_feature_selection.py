"""Selection of features: the true ones, few, the same in any order, none where there is nothing."""

from pathlib import Path

import numpy as np
import pytest

from nnunetv2_adamss.survival.covariates.feature_selection import FeatureSelection, select_features
from nnunetv2_adamss.survival.covariates.selection_plot import plot_selection
from tests.survival.covariates.cohorts import features, outcomes

INPUTS = features(150, 60, seed=0).assign(twin=lambda t: t["feature_003"] + 1e-3 * t["feature_005"])
EVENT, TIME = outcomes((INPUTS["feature_003"] - 0.8 * INPUTS["feature_008"]).to_numpy(), seed=1)


@pytest.fixture(scope="module")
def selection() -> FeatureSelection:
    return select_features(INPUTS, EVENT, TIME, limit=6, seed=2024)


def test_the_features_that_matter_are_selected_with_the_right_signs(selection: FeatureSelection) -> None:
    weights = dict(zip(selection.names, selection.weights, strict=True))
    assert len(weights) <= 6
    assert list(weights)[:2] == ["feature_003", "feature_008"]
    assert weights["feature_003"] > 0 > weights["feature_008"]
    assert selection.bootstrap_frequency[:2] == (1.0, 1.0)
    assert all(0 <= share <= 1 for share in selection.bootstrap_frequency)
    assert (selection.n_candidates, selection.n_uncorrelated) == (61, 60)
    assert selection.reason is None


def test_neither_the_order_of_columns_nor_that_of_cases_has_a_say(selection: FeatureSelection) -> None:
    rng = np.random.default_rng(3)
    order = rng.permutation(len(INPUTS))
    shuffled = INPUTS.iloc[order][list(rng.permutation(INPUTS.columns))]
    assert select_features(shuffled, EVENT[order], TIME[order], limit=6, seed=2024) == selection


def test_the_limit_is_kept(selection: FeatureSelection) -> None:
    one = select_features(INPUTS, EVENT, TIME, limit=1, seed=2024)
    assert one.names == ("feature_003",)
    assert len(selection.names) > 1


def test_noise_may_select_nothing_and_says_so() -> None:
    event, time = outcomes(np.zeros(150), seed=7)
    nothing = select_features(INPUTS, event, time, limit=9, seed=0)
    assert nothing.names == nothing.weights == nothing.bootstrap_frequency == ()
    assert nothing.reason == "no feature predicts the inner folds better than none at all"
    assert nothing.path is not None


def test_no_room_and_no_inner_folds_are_said() -> None:
    assert "--max_features" in str(select_features(INPUTS, EVENT, TIME, limit=0, seed=0).reason)
    one_event = np.arange(len(TIME)) == 0
    assert "1 of 150" in str(select_features(INPUTS, one_event, TIME, limit=3, seed=0).reason)


def test_a_selection_survives_a_round_trip_as_plain_data(selection: FeatureSelection) -> None:
    assert FeatureSelection.from_dict(selection.to_dict()) == selection
    assert FeatureSelection.from_dict(FeatureSelection(reason="none").to_dict()).path is None


def test_the_path_is_drawn(selection: FeatureSelection, tmp_path: Path) -> None:
    plot_selection(selection, tmp_path / "path.png")
    assert (tmp_path / "path.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["path.png"]
    with pytest.raises(ValueError, match="no path to draw"):
        plot_selection(FeatureSelection(), tmp_path / "other.png")


def test_a_single_feature_can_be_selected() -> None:
    only = select_features(INPUTS[["feature_003"]], EVENT, TIME, limit=3, seed=0)
    assert only.names == ("feature_003",)
