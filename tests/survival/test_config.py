"""The settings of Stage II: a file that is whole or not there, and that says what is wrong with it."""

import json
from pathlib import Path

import pytest

from nnunetv2_adamss.survival.config import CONFIG_FILE, SurvivalConfig


def test_a_fold_without_a_file_has_the_papers_settings(tmp_path: Path) -> None:
    config = SurvivalConfig.of_fold(tmp_path)
    assert (config.n_intervals, config.mask_source, config.pool) == (10, "predicted", "region")
    assert (config.interval_rule, config.interval_edges, config.loss_reduction) == ("quantile", None, "sum")
    assert (config.seg_trainer, config.seg_checkpoint) == ("AdaMSSSegTrainer", "checkpoint_best.pth")


def test_settings_survive_a_round_trip_through_the_file(tmp_path: Path) -> None:
    config = SurvivalConfig(
        interval_edges=(0.0, 365.0, 730.0),
        select="inner",
        epochs=3,
        mirroring=False,
        features_csv=("a.csv", "b.csv"),
    )
    config.save(tmp_path)
    assert SurvivalConfig.of_fold(tmp_path) == config
    assert [path.name for path in tmp_path.iterdir()] == [CONFIG_FILE]


def test_settings_of_0_1_have_no_reduction_and_mean_the_sum() -> None:
    old = SurvivalConfig(n_intervals=7).to_dict()
    del old["loss_reduction"]
    assert SurvivalConfig.from_dict(old) == SurvivalConfig(n_intervals=7)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mask_source": "magic"}, "mask_source is 'magic', but must be one of predicted, out_of_fold"),
        ({"mask_source": "folder"}, "belong together"),
        ({"masks_dir": "/masks"}, "belong together"),
        ({"n_intervals": 0}, "n_intervals is 0, but must be at least 1"),
        ({"epochs": 0}, "epochs is 0, but must be at least 1"),
        ({"pool": "max", "select": "luck"}, "pool is 'max'.*select is 'luck'"),
        ({"seed": -1}, "seed is -1"),
        ({"max_features": -1}, "max_features is -1"),
        ({"clinical_selection": "wald"}, "clinical_selection is 'wald', but must be one of likelihood_ratio"),
        ({"feature_selection": "ridge"}, "feature_selection is 'ridge', but must be one of lasso, none"),
        ({"interval_edges": [0, 50, 50]}, "ascend"),
        ({"interval_rule": "days"}, "must be one of quantile, event_quantile, authors_days"),
        ({"loss_reduction": "max"}, "loss_reduction is 'max', but must be one of sum, mean"),
        ({"n_interval": 5}, "Unknown survival settings: n_interval"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_what_is(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SurvivalConfig.from_dict(values)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).write_text("{")
    with pytest.raises(ValueError, match=CONFIG_FILE):
        SurvivalConfig.of_fold(tmp_path)
    (tmp_path / CONFIG_FILE).write_text(json.dumps({"epochs": "many"}))
    with pytest.raises(ValueError, match=CONFIG_FILE):
        SurvivalConfig.of_fold(tmp_path)


def test_differences_are_said_with_both_values() -> None:
    config = SurvivalConfig(epochs=50)
    assert config.differences({"epochs": 60, "pool": "region", "survival_csv": "elsewhere.csv"}) == [
        "--epochs was 50, and now is 60"
    ]


def test_files_may_have_moved_when_a_training_continues() -> None:
    config = SurvivalConfig(features_csv=("a.csv", "b.csv"))
    moved = config.with_paths({"features_csv": ["new/a.csv", "new/b.csv"], "seed": 3})
    assert moved == SurvivalConfig(features_csv=("new/a.csv", "new/b.csv"))
    assert config.differences({"features_csv": ["new/a.csv"]}) == []


def test_what_a_file_leaves_out_is_the_trainers_default(tmp_path: Path) -> None:
    (tmp_path / "survival_config.json").write_text('{"seed": 1}')
    config = SurvivalConfig.of_fold(tmp_path, {"anchor": "image", "seed": 2})
    assert (config.seed, config.anchor) == (1, "image")
