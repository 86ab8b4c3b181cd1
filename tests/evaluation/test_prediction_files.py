"""Prediction files of any tool: what is read, and what is refused with all its faults."""

from pathlib import Path

import numpy as np
import pytest

from nnunetv2_adamss.common.tables.faults import FileFaultsError
from nnunetv2_adamss.evaluation.prediction_files import read_predictions
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction


def write(folder: Path, *lines: str, name: str = "predictions.csv") -> Path:
    file = folder / name
    file.write_text("\n".join(lines))
    return file


def test_what_stage_two_writes_is_read(tmp_path: Path) -> None:
    edges = np.array([0.0, 100.0, 250.5])
    prediction = SurvivalPrediction(["001", "002"], np.array([[0.9, 0.5], [0.8, 0.25]]), edges)
    prediction.write(tmp_path / "p.csv")
    found = read_predictions([tmp_path / "p.csv"])
    assert list(found.table.index) == ["001", "002"]
    assert found.table["risk_score"].to_numpy() == pytest.approx(prediction.risk_score)
    assert found.table["predicted_time"].to_numpy() == pytest.approx(prediction.predicted_time)
    assert found.curves is not None
    assert found.curves.at(edges[1:]) == pytest.approx(prediction.survival_curve)


def test_another_tools_file_needs_two_columns_and_may_have_others(tmp_path: Path) -> None:
    file = write(
        tmp_path, "case_id,risk_score,comment,survival_at_0,survival_at_9.5,risk_group", "a,1e-3,x,1,0.5,High"
    )
    found = read_predictions([file])
    assert list(found.table) == ["risk_score", "risk_group", "fold"]
    assert found.table.loc["a", "risk_group"]
    assert found.curves is not None and list(found.curves.times) == [0, 9.5]
    bare = read_predictions([write(tmp_path, "case_id,risk_score", "a,1")])
    assert bare.curves is None


@pytest.mark.parametrize("cell", ["", "nan", "inf", "-inf", "NA"])
def test_a_risk_that_is_not_finite_is_kept_as_such(tmp_path: Path, cell: str) -> None:
    found = read_predictions([write(tmp_path, "case_id,risk_score", f"a,{cell}", "b,2")])
    assert np.isnan(found.table.loc["a", "risk_score"])


def test_the_files_of_folds_are_put_together_and_share_what_all_have(tmp_path: Path) -> None:
    first = write(tmp_path, "case_id,risk_score,risk_group,survival_at_5", "a,1,low,0.5", name="0.csv")
    second = write(tmp_path, "case_id,risk_score,survival_at_4", "b,2,0.25", "c,3,0.5", name="1.csv")
    found = read_predictions([first, second])
    assert list(found.table["fold"]) == [0, 1, 1]
    assert list(found.table) == ["risk_score", "fold"]
    assert found.curves is not None
    assert found.curves.at(np.array([4.0]))[:, 0] == pytest.approx([0.6, 0.25, 0.5])


def test_a_case_in_two_files_is_refused(tmp_path: Path) -> None:
    files = [write(tmp_path, "case_id,risk_score", "a,1", name=name) for name in ("0.csv", "1.csv")]
    with pytest.raises(ValueError, match="Several files predict the same cases: a"):
        read_predictions(files)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["case_id,risk", "a,1"], "has no column 'risk_score', only case_id, risk"),
        (["case_id,risk_score,risk_score", "a,1,2"], "more than once: 'risk_score'"),
        (["case_id,risk_score", ",1"], "column 'case_id' is empty: row 2"),
        (["case_id,risk_score", "a,1", "a,2"], "must differ from row to row: row 2 'a', row 3 'a'"),
        (["case_id,risk_score", "a,high"], "column 'risk_score' must hold numbers: row 2 'high'"),
        (
            ["case_id,risk_score,risk_group", "a,1,middle"],
            "'risk_group' must hold low or high: row 2 'middle'",
        ),
        (
            ["case_id,risk_score,risk_group", "a,1,low", "b,nan,low"],
            "'risk_group' needs a finite 'risk_score' in the same row: row 3 'low'",
        ),
        (
            ["case_id,risk_score,survival_at_five", "a,1,0.5"],
            "need a number from 0 on as T, each once: 'survival_at_five'",
        ),
        (["case_id,risk_score,survival_at_5,survival_at_5.0", "a,1,.5,.5"], "each once: 'survival_at_5.0'"),
        (["case_id,risk_score,survival_at_5", "a,1,1.5"], "probabilities from 0 to 1: row 2 '1.5'"),
        (["case_id,risk_score,survival_at_5", "a,1,"], "probabilities from 0 to 1: row 2 ''"),
        (
            ["case_id,risk_score,survival_at_9,survival_at_5", "a,1,0.6,0.5"],
            "must not rise with T: row 2 'a'",
        ),
    ],
)
def test_a_faulty_file_is_refused_with_the_place_of_the_fault(
    tmp_path: Path, lines: list[str], fault: str
) -> None:
    with pytest.raises(FileFaultsError) as error:
        read_predictions([write(tmp_path, *lines)])
    assert fault in str(error.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileFaultsError, match="no.csv: the file does not exist"):
        read_predictions([tmp_path / "no.csv"])


def test_codes_decimal_commas_and_escaped_names_are_read(tmp_path: Path) -> None:
    file = write(
        tmp_path, "case_id,risk_score,survival_at_9.5", '\'=a,"0,5",0.5', 'b,unknown,"0,25"', "c,.,1"
    )
    found = read_predictions([file])
    assert list(found.table.index) == ["=a", "b", "c"]
    np.testing.assert_array_equal(found.table["risk_score"], [0.5, np.nan, np.nan])
    assert found.curves is not None
    np.testing.assert_array_equal(found.curves.at(np.array([9.5]))[:, 0], [0.5, 0.25, 1])
