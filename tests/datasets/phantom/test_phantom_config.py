"""Settings are checked once, and all faults are named."""

import numpy as np
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_training", "3"),
        ("n_training", 1.5),
        ("n_test", None),
        ("n_centres", True),
        ("seed", 0.5),
        ("dataset_id", "990"),
        ("shape", 48),
        ("shape", (48.5, 48, 48)),
        ("spacing_mm", ("3", "3", "3")),
        ("signals_on", "volume"),
        ("signals_on", (1,)),
        ("log_hazard_ratio", 0.5),
        ("log_hazard_ratio", {"volume": "0.5"}),
        ("weibull_shape", "1"),
        ("censoring_fraction", None),
        ("scanner_shift", "no"),
        ("dataset_name", 7),
    ],
)
def test_a_value_of_another_type_is_refused_in_a_sentence(name: str, value: object) -> None:
    with pytest.raises(ValueError) as raised:
        PhantomCohortConfig(**{name: value})
    assert str(raised.value) == f"The phantom cannot be made: {name} cannot be {value!r}."


def test_numbers_of_numpy_and_lists_are_as_good() -> None:
    given = PhantomCohortConfig(
        n_training=np.int64(3), censoring_fraction=np.float32(0.5), shape=[48, 48, 48], scanner_shift=1
    )
    assert (given.n_training, given.censoring_fraction, given.scanner_shift) == (3, 0.5, True)
