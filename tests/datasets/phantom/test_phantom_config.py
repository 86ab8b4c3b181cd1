"""Settings are checked once, and all faults are named."""

import pytest

from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig


def test_the_folder_is_named_as_nnunet_names_data_sets() -> None:
    assert PhantomCohortConfig(dataset_id=7, dataset_name="Small").folder_name == "Dataset007_Small"


def test_all_faults_are_reported_together() -> None:
    with pytest.raises(ValueError, match=r"n_training is 0.*censoring_fraction is 1\.0.*no signal 'size'"):
        PhantomCohortConfig(n_training=0, censoring_fraction=1.0, signals_on=("size",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spacing_mm": (6.0, 3.0, 3.0), "shape": (48, 64, 64)}, "at most 5.0"),
        (
            {"shape": (10**6,) * 3},
            r"shape \(--shape\) is .* 1000000000000000000 voxels, expected at most 134217728",
        ),
        ({"n_training": 10**12}, r"n_training \(-n\) is 1000000000000, expected at most 100000"),
        ({"shape": (16, 48, 48)}, r"field of view .* at least 150"),
        ({"dataset_name": "a/b"}, "dataset_name is 'a/b'"),
        ({"log_hazard_ratio": {"volume": 1.0}}, "signal 'age' is on but has no log_hazard_ratio"),
        ({"n_centres": 27}, "1 to 26"),
        ({"weibull_shape": 0.0}, "weibull_shape is 0.0"),
    ],
)
def test_a_value_out_of_range_is_refused(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PhantomCohortConfig(**change)
