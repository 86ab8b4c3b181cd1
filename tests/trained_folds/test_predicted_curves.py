"""Survival curves come back from a file as they were written, and values that are not a curve are named."""

from pathlib import Path

import numpy as np
import pytest

from nnunetv2_adamss.common.tables.faults import FileFaultsError
from nnunetv2_adamss.trained_folds.predicted_curves import read_fold_curves, read_predicted_curves
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction


def test_what_is_written_is_read_and_a_single_fold_keeps_every_digit(tmp_path: Path) -> None:
    prob = np.random.default_rng(0).random((3, 4))
    written = SurvivalPrediction(["c", "a", "b"], prob, np.array([0, 9.5, 100, 1234.5678, 2000000]))
    written.write(tmp_path / "predictions.csv")
    case_ids, times, curve = read_predicted_curves(tmp_path / "predictions.csv")
    assert case_ids == ["c", "a", "b"]
    assert times.tolist() == [9.5, 100, 1234.57, 2000000]
    assert curve == pytest.approx(written.survival_curve, rel=1e-14)


def test_columns_may_come_in_any_order_among_others(tmp_path: Path) -> None:
    file = tmp_path / "predictions.csv"
    file.write_text(
        "note,survival_at_20,case_id,survival_at_0,survival_at_5,note\nx,0.25,a,1,0.5,\n,0.125,007,1,1,\n"
    )
    case_ids, times, curve = read_predicted_curves(file)
    assert (case_ids, times.tolist()) == (["a", "007"], [5, 20])
    assert curve.tolist() == [[0.5, 0.25], [1, 0.125]]


def test_curves_of_folds_are_distinguished_by_their_column(tmp_path: Path) -> None:
    file = tmp_path / "survival_by_fold.csv"
    file.write_text("case_id,fold,survival_at_5\na,1,0.5\nb,1,0.25\na,all,0.75\n")
    first, second = read_fold_curves(file)
    assert (first.case_ids, first.survival_curve.tolist()) == (["a", "b"], [[0.5], [0.25]])
    assert (second.case_ids, second.survival_curve.tolist()) == (["a"], [[0.75]])
    file.write_text("case_id,survival_at_5\na,0.5\n")
    with pytest.raises(FileFaultsError, match="no column 'fold'"):
        read_fold_curves(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("case_id,risk_score\na,1\n", "no column 'survival_at_T'"),
        ("name,survival_at_1\na,1\n", "no column 'case_id'"),
        ("case_id,survival_at_0\na,1\n", "no column 'survival_at_T'"),
        ("case_id,survival_at_1,survival_at_soon\na,1,1\n", "from 0 on as T, each once: 'survival_at_soon'"),
        ("case_id,survival_at_1,survival_at_-1\na,1,1\n", "from 0 on as T, each once: 'survival_at_-1'"),
        ("case_id,survival_at_1,survival_at_1.0\na,1,1\n", "from 0 on as T, each once: 'survival_at_1.0'"),
        ("case_id,survival_at_1\na,1\na,1\n", "'case_id' must differ from row to row: row 2 'a', row 3 'a'"),
        ("case_id,survival_at_1\na,high\n", "must hold probabilities from 0 to 1: row 2 'high'"),
        ("case_id,survival_at_1\na,\nb,1\n", "must hold probabilities from 0 to 1: row 2 ''"),
        ("case_id,survival_at_1\na,1.5\nb,-1\n", "probabilities from 0 to 1: row 2 '1.5', row 3 '-1'"),
        ("case_id,survival_at_9,survival_at_1\na,0.8,0.7\nb,0.6,0.7\n", "must not rise with T: row 2 'a'"),
        ("", "the file is empty"),
    ],
)
def test_a_file_without_curves_is_reported(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "predictions.csv"
    file.write_text(text)
    with pytest.raises(FileFaultsError, match="predictions.csv: .*" + message):
        read_predicted_curves(file)
