"""Whatever kind of column holds the patients, every metric gives the same number, or says why not."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sksurv.metrics import concordance_index_censored

import nnunetv2_adamss as adamss
from nnunetv2_adamss.metrics.d_calibration import d_calibration
from nnunetv2_adamss.metrics.kaplan_meier import kaplan_meier
from nnunetv2_adamss.metrics.paired_comparison import compare
from nnunetv2_adamss.metrics.patient_columns import patient_columns
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from nnunetv2_adamss.metrics.risk_groups import compare_risk_groups
from nnunetv2_adamss.metrics.survival_curves import PredictedCurves
from tests.metrics.cohorts import random_cohort

HORIZON = 800.0
Columns = Sequence[Any]


def curves(survival_prob: Any, event: Any, time: Any) -> PredictedCurves:
    return PredictedCurves.in_cohort(survival_prob, HORIZON, ResampledCohort(event, time, n_resamples=0))


# Prediction, event and time in; the prediction is the survival probability at the horizon.
METRICS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "harrell_c": adamss.harrell_c,
    "bootstrap_harrell_c": lambda p, e, t: adamss.bootstrap_harrell_c(p, e, t, n_resamples=10),
    "uno_c": lambda p, e, t: adamss.uno_c(p, e, t, n_resamples=10),
    "auc": lambda p, e, t: adamss.cumulative_dynamic_auc(p, e, t, HORIZON, n_resamples=10),
    "brier_score": lambda p, e, t: adamss.brier_score(p, e, t, HORIZON, n_resamples=10),
    "integrated_brier_score": lambda p, e, t: adamss.integrated_brier_score(p, e, t, HORIZON, n_resamples=10),
    "calibration": lambda p, e, t: adamss.calibration(p, e, t, HORIZON),
    "compare": lambda p, e, t: compare(p, p, ResampledCohort(e, t, n_resamples=10)),
    "d_calibration": lambda p, e, t: d_calibration(curves(p, e, t), e, t),
    "risk groups": lambda p, e, t: compare_risk_groups(np.arange(len(t)) % 2, e, t, "a test"),
    "kaplan_meier": lambda p, e, t: kaplan_meier(e, t).median,
}


def patients(n_cases: int = 80) -> pd.DataFrame:
    risk_score, event, time = random_cohort(n_cases)
    prediction = 1 / (1 + np.exp(risk_score - np.median(risk_score)))
    return pd.DataFrame({"prediction": prediction, "event": event, "time": time})


def columns_of(table: pd.DataFrame) -> list[pd.Series]:
    return [table["prediction"], table["event"], table["time"]]


@pytest.mark.parametrize("name", METRICS)
def test_arrays_lists_and_pandas_columns_of_any_index_give_the_same(name: str) -> None:
    table, metric = patients(), METRICS[name]
    expected = metric(*(column.to_numpy() for column in columns_of(table)))
    for index in (range(5, 85), [f"case {i}" for i in range(80)], np.zeros(80), np.arange(80)[::-1]):
        assert metric(*columns_of(table.set_axis(index))) == expected
    assert metric(*(column.to_list() for column in columns_of(table))) == expected
    assert metric(*columns_of(table.astype({"event": "Int64", "time": "Float64"}))) == expected
    assert metric(*columns_of(table.astype(object))) == expected


@pytest.mark.parametrize("name", METRICS)
def test_the_same_patients_in_another_order_are_refused(name: str) -> None:
    table = patients().set_axis([f"case {i}" for i in range(80)])
    prediction, event, time = columns_of(table)
    with pytest.raises(ValueError, match="'event' and 'time' have different indexes: at position 0 there is"):
        METRICS[name](prediction, event, time[::-1])


@pytest.mark.parametrize("name", sorted({*METRICS} - {"kaplan_meier", "risk groups"}))
def test_predictions_in_another_order_are_refused(name: str) -> None:
    prediction, event, time = columns_of(patients())
    with pytest.raises(ValueError, match="have different indexes: at position 0 there is 79 in"):
        METRICS[name](prediction[::-1], event, time)


@settings(max_examples=50)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_columns_are_paired_or_refused_but_never_reordered(labels: list[int], random: Any) -> None:
    shuffled = random.sample(labels, len(labels))
    first = pd.Series(np.arange(len(labels)), index=labels)
    second = pd.Series(np.arange(len(labels)), index=shuffled)
    if shuffled == labels:
        one, other = patient_columns(first=first, second=second)
        assert one.tolist() == other.tolist() == list(range(len(labels)))
    else:
        with pytest.raises(ValueError, match="have different indexes"):
            patient_columns(first=first, second=second)


def test_the_c_index_of_columns_is_that_of_scikit_survival() -> None:
    table = patients().set_axis(np.arange(80)[::-1])
    expected = concordance_index_censored(table.event, table.time, -table.prediction)[0]
    assert adamss.harrell_c(-table.prediction, table.event, table.time).c_index == pytest.approx(expected)


def test_folds_are_a_column_too() -> None:
    prediction, event, time = columns_of(patients())
    fold = pd.Series(np.arange(80) % 2)
    found = adamss.uno_c(prediction, event, time, fold=fold, n_resamples=10)
    assert found == adamss.uno_c(prediction, event, time, fold=fold.to_list(), n_resamples=10)
    assert found.n_pairs < adamss.uno_c(prediction, event, time, n_resamples=10).n_pairs
    with pytest.raises(ValueError, match="'event' and 'fold' have different indexes|'time' and 'fold' have"):
        adamss.uno_c(prediction, event, time, fold=fold[::-1])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"risk_score": [1], "event": [1, 0]}, "'risk_score' has 1 values, but 'event' has 2"),
        ({"event": [1, 2, 0, 2]}, r"'event' must hold False and True, or 0 and 1, but is 2 at position 1 \(2 of 4"),
        ({"event": [1, np.nan]}, "'event' must hold .* but is nan at position 1"),
        ({"event": pd.Series([1, None], dtype="Int64")}, "'event' must hold .* but is nan at position 1"),
        ({"event": ["yes", "no"]}, "'event' must hold numbers, but holds 'yes'"),
        ({"event": pd.Series(["1", "0"], dtype="category")}, "'event' must hold numbers, but holds '1'"),
        ({"time": [1, -2]}, "'time' must hold finite numbers of at least 0, but is -2 at position 1"),
        ({"time": [np.inf, 1]}, "'time' must hold finite numbers of at least 0, but is inf at position 0"),
        ({"time": pd.to_timedelta([1, 2], unit="D")}, "'time' must hold numbers, but holds"),
        ({"fold": [0, np.nan]}, "'fold' must hold finite numbers"),
        ({"survival_prob": [0.5, 50]}, "'survival_prob' must hold probabilities from 0 to 1, but is 50"),
        ({"risk_score": [[1], [2]]}, r"'risk_score' must hold one value a patient, but its shape is \(2, 1\)"),
        ({"risk_score": pd.DataFrame({"risk": [1, 2]})}, r"its shape is \(2, 1\). Give a single column"),
        ({"risk_score": 3.0}, r"its shape is \(\)"),
        ({"risk_score": None}, r"'risk_score' must hold one value a patient, but its shape is \(\)"),
        ({"risk_score": [[1], [2, 3]]}, "'risk_score' must be a column or a table, but its rows differ in length"),
        ({"risk_score": [1.0, "high"]}, r"'risk_score' must hold numbers, but holds 'high' \(str\)"),
        ({"risk_score": pd.Series([None, 1.0, "high"])}, r"must hold numbers, but holds 'high' \(str\)"),
        ({"risk_score": pd.Series([1, {}])}, r"'risk_score' must hold numbers, but holds {} \(dict\)"),
        ({"event": np.ma.masked_array([1, 0], [True, False])}, "'event' has masked values. Leave out"),
        ({"event": [1, np.ma.masked]}, "'event' has masked values. Leave out"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_a_column_of_patients_is_refused_in_a_sentence(
    columns: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        patient_columns(**columns)


def test_a_masked_array_without_masked_values_is_an_array() -> None:
    (found,) = patient_columns(event=np.ma.masked_array([1, 0], [False, False]))
    assert found.tolist() == [True, False]


def test_numbers_in_columns_of_any_type_are_numbers_and_missing_ones_nan() -> None:
    (category,) = patient_columns(event=pd.Series([1, 0], dtype="category"))
    assert category.tolist() == [True, False]
    (mixed,) = patient_columns(risk_score=pd.Series([1, 2.5, True, None, pd.NA], dtype=object))
    np.testing.assert_array_equal(mixed, [1, 2.5, 1, np.nan, np.nan])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pd.Index(["a", "b"], dtype="string"), ["a", "b"]),
        (pd.Index(["a", pd.NA], dtype="string"), ["a", np.nan]),
        (pd.CategoricalIndex(["a", None]), ["a", None]),
        (pd.Index([1, 2], dtype="Int64"), [1.0, 2.0]),
        (pd.MultiIndex.from_tuples([("a", 1), ("b", None)]), pd.MultiIndex.from_tuples([("a", 1), ("b", None)])),
    ],
)  # fmt: skip
def test_equal_labels_of_another_type_are_equal(first: Any, second: Any) -> None:
    event, time = pd.Series([1, 0], index=first), pd.Series([2, 3], index=second)
    assert [column.tolist() for column in patient_columns(event=event, time=time)] == [[True, False], [2, 3]]


@pytest.mark.parametrize(
    ("first", "second", "labels"),
    [
        (pd.Index([pd.NA, "b", "c"], dtype="string"), ["a", "b", "c"], r"position 0 there is <NA> .* and 'a'"),
        (pd.Index([pd.NA, "b", "c"], dtype="string"), [None, "b", "d"], "position 2 there is 'c' .* and 'd'"),
        ([np.nan, 1.0, 2.0], [np.nan, 1.0, 3.0], r"position 2 there is 2\.0 .* and 3\.0"),
        (pd.MultiIndex.from_tuples([("a", 1), ("b", 1), ("b", 2)]),
         pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("b", 1)]), "position 1 there is "),
        (pd.MultiIndex.from_tuples([("a", 1), ("b", 1), ("b", 2)]), ["a", "b", "b"], "position 0 there is .* 'a'"),
    ],
)  # fmt: skip
def test_the_place_of_the_first_label_that_differs_is_named(first: Any, second: Any, labels: str) -> None:
    event, time = pd.Series([1, 0, 1], index=first), pd.Series([2, 3, 4], index=second)
    with pytest.raises(ValueError, match=f"different indexes: at {labels}"):
        patient_columns(event=event, time=time)


def test_columns_without_patients_are_empty_whatever_their_type() -> None:
    event, time = patient_columns(event=pd.Series([], dtype=object), time=[])
    assert (event.dtype, time.dtype) == (np.bool_, np.float64)
    assert len(event) == len(time) == 0


@pytest.mark.parametrize("name", sorted({*METRICS} - {"d_calibration", "risk groups"}))
def test_without_patients_there_is_nothing_to_measure(name: str) -> None:
    with pytest.raises(ValueError, match="There are no patients: 'event' and 'time' are empty"):
        METRICS[name]([], [], [])


def test_a_table_of_probabilities_needs_a_column_for_each_time() -> None:
    _, event, time = columns_of(patients())
    table = pd.DataFrame({"at 200": 0.9, "at 400": 0.8}, index=range(80))
    found = adamss.integrated_brier_score(table, event, time, [200, 400], n_resamples=10)
    assert found == adamss.integrated_brier_score(table.to_numpy(), event, time, [200, 400], n_resamples=10)
    assert found == adamss.integrated_brier_score(
        table.iloc[:, ::-1], event, time, [400, 200], n_resamples=10
    )
    with pytest.raises(ValueError, match="'survival_prob' has 2 columns, but there are 3 times"):
        adamss.integrated_brier_score(table, event, time, [200, 400, 600])
    with pytest.raises(ValueError, match="Times must be above 0, finite and all different"):
        adamss.integrated_brier_score(table, event, time, [200, 200])
    with pytest.raises(ValueError, match="have different indexes"):
        adamss.integrated_brier_score(table[::-1], event, time, [200, 400])
