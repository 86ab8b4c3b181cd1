"""Results of a fold whose network has diverged."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import FoldSplit
from nnunetv2_adamss.survival.setup import SurvivalSetup
from nnunetv2_adamss.trained_folds.fold_files import epoch_predictions_file
from nnunetv2_adamss.trained_folds.fold_results import EpochPrediction, write_results
from nnunetv2_adamss.trained_folds.prediction import RiskPrediction
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold

_CASES = [f"c{number}" for number in range(12)]


@pytest.fixture
def setup(tmp_path: Path) -> SurvivalSetup:
    rows = {"case_id": _CASES, "time": range(1, 13), "event": [1, 0, 1] * 4}
    pd.DataFrame(rows).to_csv(tmp_path / "survival.csv", index=False)
    table = read_survival_table(tmp_path / "survival.csv")
    fold = SurvivalFold.prepare(SurvivalConfig(n_intervals=2), table, FoldSplit(_CASES[:8], _CASES[8:]))
    return SurvivalSetup(fold, table, CovariateTables(), stage_one=None, masks=None)  # type: ignore[arg-type]


def epochs(best: list[float], last: list[float]) -> dict[str, EpochPrediction]:
    return {
        name: EpochPrediction(number, RiskPrediction(_CASES[8:], np.array(risk)))
        for number, (name, risk) in enumerate({"best": best, "last": last}.items())
    }


def test_an_epoch_without_finite_risks_is_left_out_where_it_does_not_predict(
    setup: SurvivalSetup, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_results(tmp_path, setup, epochs([np.nan, 1, 2, 3], [4, 3, 2, 1]), {})
    assert "The best epoch (0) gives no finite risk to 1 validation case(s): c8." in caplog.text
    assert not (tmp_path / epoch_predictions_file("best")).exists()
    assert list(TrainedFold(tmp_path).summary["c_index"]) == ["last"]


def test_a_summary_is_read_once_and_what_is_needed_is_looked_for_each_time(
    setup: SurvivalSetup, tmp_path: Path
) -> None:
    write_results(tmp_path, setup, epochs([1, 2, 3, 4], [4, 3, 2, 1]), {})
    fold = TrainedFold(tmp_path)
    assert fold.edges.tolist() == list(setup.fold.interval_edges)
    (tmp_path / "survival_summary.json").unlink()
    assert list(fold.summary["c_index"]) == ["best", "last"]
    with pytest.raises(ValueError, match=r"survival_summary\.json .*not usable: settings\.nothing\)\.$"):
        fold.summary_with("settings.nothing")


def test_an_epoch_without_finite_risks_is_not_a_result(setup: SurvivalSetup, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"The last epoch \(1\) gives no finite risk .* c9, c11\. .* diverged"
    ):
        write_results(tmp_path, setup, epochs([4, 3, 2, 1], [1, np.inf, 2, np.nan]), {})
    assert not (tmp_path / "survival_summary.json").exists()
