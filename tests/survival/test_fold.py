"""A fold's cases and what is fitted on them: training cases only, every refusal with its reason."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable, read_survival_table
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.discrete_time.intervals import AUTHORS_EDGES_DAYS
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import FoldSplit

CASES = [f"case_{i:02d}" for i in range(20)]
TRAINING, VALIDATION = CASES[:15], CASES[15:]
SPLIT = FoldSplit(TRAINING, VALIDATION)


def make_table(folder: Path, **changes: object) -> SurvivalTable:
    columns = {"case_id": CASES, "time": np.arange(1.0, 21.0) * 10, "event": [1, 0] * 10} | changes
    pd.DataFrame(columns).to_csv(folder / "survival.csv", index=False)
    return read_survival_table(folder / "survival.csv")


def test_edges_are_quantiles_of_the_training_times_alone(tmp_path: Path) -> None:
    fold = SurvivalFold.prepare(SurvivalConfig(n_intervals=2), make_table(tmp_path), SPLIT)
    assert fold.interval_edges == (0, 80, 150)
    assert fold.scoring_cases == fold.validation_cases == tuple(VALIDATION)


def test_explicit_edges_are_taken_as_they_are(tmp_path: Path) -> None:
    config = SurvivalConfig(interval_edges=(0, 50, 100))
    assert SurvivalFold.prepare(config, make_table(tmp_path), SPLIT).interval_edges == (
        0,
        50,
        100,
    )


def test_the_authors_edges_are_taken_whatever_the_number_of_intervals(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = SurvivalConfig(interval_rule="authors_days", n_intervals=14)
    fold = SurvivalFold.prepare(config, make_table(tmp_path), SPLIT)
    assert fold.interval_edges == AUTHORS_EDGES_DAYS
    # All training cases end within 150 days.
    assert "No training event lies in 9 of 10 time intervals: 300 to 600" in caplog.text


def test_the_authors_edges_are_refused_for_a_table_in_months(tmp_path: Path) -> None:
    make_table(tmp_path)
    (tmp_path / "survival.json").write_text('{"time_unit": "months"}')
    table = read_survival_table(tmp_path / "survival.csv")
    with pytest.raises(ValueError, match="are in days, but .* is months. Give edges in months"):
        SurvivalFold.prepare(SurvivalConfig(interval_rule="authors_days"), table, SPLIT)


def test_intervals_without_a_training_event_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = SurvivalConfig(interval_edges=(0, 15, 25, 200))
    SurvivalFold.prepare(config, make_table(tmp_path), SPLIT)
    assert "No training event lies in 1 of 3 time intervals: 15 to 25" in caplog.text


def test_cases_without_outcome_are_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    times, events = np.arange(1.0, 21.0), [1.0, 0.0] * 10
    times[3] = events[3] = np.nan
    fold = SurvivalFold.prepare(SurvivalConfig(), make_table(tmp_path, time=times, event=events), SPLIT)
    assert "1 training case(s) have no outcome and serve Stage I only: case_03" in caplog.text
    assert "case_03" not in fold.all_cases
    assert len(fold.training_cases) == 14


def test_a_case_of_the_split_without_a_row_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 case.* no row .*unknown_case"):
        SurvivalFold.prepare(
            SurvivalConfig(), make_table(tmp_path), FoldSplit([*TRAINING, "unknown_case"], VALIDATION)
        )


@pytest.mark.parametrize(("part", "censored"), [("training", range(15)), ("validation", range(15, 20))])
def test_a_part_without_events_is_refused(tmp_path: Path, part: str, censored: range) -> None:
    events = [0 if i in censored else 1 for i in range(20)]
    with pytest.raises(ValueError, match=f"The {part} part of this fold has no event"):
        SurvivalFold.prepare(SurvivalConfig(), make_table(tmp_path, event=events), SPLIT)


def test_inner_selection_sets_a_fifth_of_the_training_cases_aside(tmp_path: Path) -> None:
    table = make_table(tmp_path)
    fold = SurvivalFold.prepare(SurvivalConfig(select="inner"), table, SPLIT)
    assert len(fold.scoring_cases) == 3
    assert {*fold.training_cases} | {*fold.scoring_cases} == {*TRAINING}
    assert not {*fold.training_cases} & {*fold.scoring_cases}
    assert fold.validation_cases == tuple(VALIDATION)
    assert table.outcomes.loc[list(fold.scoring_cases), "event"].any()
    assert fold.interval_edges[-1] == table.outcomes.loc[list(fold.training_cases), "time"].max()


def test_inner_selection_of_too_few_events_is_refused(tmp_path: Path) -> None:
    events = [1] + [0] * 14 + [1] * 5
    with pytest.raises(ValueError, match="Use --select last"):
        SurvivalFold.prepare(SurvivalConfig(select="inner"), make_table(tmp_path, event=events), SPLIT)


def test_fold_all_has_nothing_to_validate_on(tmp_path: Path) -> None:
    fold = SurvivalFold.prepare(SurvivalConfig(), make_table(tmp_path), FoldSplit(CASES, CASES))
    assert fold.training_cases == tuple(CASES)
    assert fold.scoring_cases == fold.validation_cases == ()


def with_features(n_cases: int = 20, **features: object) -> CovariateTables:
    columns = {"x": np.arange(float(n_cases))} | features
    return CovariateTables(features=pd.DataFrame(columns, index=CASES[:n_cases]))


def test_covariates_are_fitted_on_the_training_cases(tmp_path: Path) -> None:
    config = SurvivalConfig(feature_selection="none")
    fold = SurvivalFold.prepare(config, make_table(tmp_path), SPLIT, with_features())
    assert fold.covariates.features.means == (7.0,)


def test_with_inner_selection_the_cases_that_are_set_aside_have_no_say(tmp_path: Path) -> None:
    config = SurvivalConfig(feature_selection="none", select="inner")
    fold = SurvivalFold.prepare(config, make_table(tmp_path), SPLIT, with_features())
    assert fold.covariates.features.means == (np.mean([CASES.index(c) for c in fold.training_cases]),)


def test_a_fold_survives_a_round_trip_as_plain_data(tmp_path: Path) -> None:
    tables = with_features(y=np.arange(20.0) ** 2 % 7)
    fold = SurvivalFold.prepare(SurvivalConfig(max_features=2), make_table(tmp_path), SPLIT, tables)
    assert fold.covariate_report.selection is not None
    assert SurvivalFold.from_dict(json.loads(json.dumps(fold.to_dict()))) == fold


def test_a_case_without_covariates_is_named_whichever_part_it_is_in(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 case.* no features: case_19"):
        SurvivalFold.prepare(SurvivalConfig(), make_table(tmp_path), SPLIT, with_features(19))


def test_fold_all_has_nothing_to_choose_the_best_epoch_on(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="use --select last"):
        SurvivalFold.prepare(SurvivalConfig(select="best"), make_table(tmp_path), FoldSplit(CASES, CASES))


@pytest.mark.parametrize(
    "now",
    [
        FoldSplit([*TRAINING[1:], VALIDATION[0]], [TRAINING[0], *VALIDATION[1:]]),
        FoldSplit([*TRAINING, "new"], VALIDATION),
        FoldSplit(TRAINING, VALIDATION[1:]),
    ],
)
def test_a_split_that_has_changed_is_noticed(tmp_path: Path, now: FoldSplit) -> None:
    for select in ("last", "inner"):
        fold = SurvivalFold.prepare(SurvivalConfig(select=select), make_table(tmp_path), SPLIT)
        fold.check_unchanged(SPLIT, {})
        with pytest.raises(ValueError, match="splits_final.json has changed"):
            fold.check_unchanged(now, {})


def test_a_file_that_has_changed_is_noticed(tmp_path: Path) -> None:
    fold = SurvivalFold.prepare(SurvivalConfig(), make_table(tmp_path), SPLIT)
    fold = replace(fold, sources={"outcomes": "abc"})
    fold.check_unchanged(SPLIT, {"outcomes": "abc"})
    with pytest.raises(ValueError, match="has changed since: outcomes"):
        fold.check_unchanged(SPLIT, {"outcomes": "abd"})
