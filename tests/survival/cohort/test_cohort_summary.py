"""The summary of a cohort, against counts and curves made by hand."""

from pathlib import Path

import numpy as np
import pytest

from nnunetv2_adamss.survival.cohort.cohort_summary import (
    CohortSummary,
    ColumnSummary,
    median_follow_up,
    summarise_cohort,
)
from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table


def test_median_follow_up_is_that_of_a_curve_drawn_by_hand() -> None:
    # Censored at 1, 3, 5 and observed at 2, 4. The reverse curve falls to 4/5 at 1, to 4/5 * 2/3 = 8/15 at 3,
    # and to 0 at 5, where it first is at most one half. The plain median of the times is 3.
    time = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    event = np.array([False, True, False, True, False])
    assert median_follow_up(time, event) == 5.0


def test_without_events_follow_up_is_the_median_of_the_times() -> None:
    assert median_follow_up(np.array([3.0, 1.0, 2.0]), np.zeros(3, dtype=bool)) == 2.0


@pytest.mark.parametrize("event", [[True, True, True], [False, True, True]])
def test_follow_up_that_hardly_anyone_completes_has_no_median(event: list[bool]) -> None:
    assert median_follow_up(np.array([1.0, 2.0, 3.0]), np.array(event)) is None


def test_a_cohort_is_counted_overall_and_by_group(tmp_path: Path) -> None:
    (tmp_path / "survival.csv").write_text(
        "case_id,time,event,age,hpv,centre\n"
        "a,1,0,,1,A\n"
        "b,2,1,50,,B\n"
        "c,3,0,60,,B\n"
        "d,4,1,,0,B\n"
        "e,5,0,70,1,A\n"
        "f,,,70,,A\n"
    )
    (tmp_path / "survival.json").write_text(
        '{"time_unit": "months", "endpoint": "death", "group_column": "centre"}'
    )
    assert summarise_cohort(read_survival_table(tmp_path / "survival.csv")) == CohortSummary(
        n_patients=6,
        n_events=2,
        n_without_outcome=1,
        censored_fraction=pytest.approx(3 / 5),
        median_follow_up=5.0,
        time_unit="months",
        endpoint="death",
        missing={"age": 2, "hpv": 3, "centre": 0},
        group_column="centre",
        group_sizes={"A": 3, "B": 3},
        missing_by_group={
            "A": {"age": 1, "hpv": 1, "centre": 0},
            "B": {"age": 1, "hpv": 2, "centre": 0},
        },
        columns=(
            ColumnSummary("age", "number", False, 2, 50.0, 70.0, {}),
            ColumnSummary("hpv", "number", False, 3, 0.0, 1.0, {}),
            ColumnSummary("centre", "category", False, 0, None, None, {"A": 3, "B": 3}),
        ),
    )


def test_a_cohort_of_outcomes_alone_has_no_missing_values(tmp_path: Path) -> None:
    (tmp_path / "survival.csv").write_text("case_id,time,event\na,1,1\nb,2,0\n")
    summary = summarise_cohort(read_survival_table(tmp_path / "survival.csv"))
    assert summary.missing == {} and summary.missing_by_group == {} and summary.group_column is None


def test_the_sarcoma_cohort_is_summarised(real_data: Path) -> None:
    summary = summarise_cohort(read_survival_table(real_data / "Dataset510_STS" / "survival.csv"))
    assert (summary.n_patients, summary.n_events, summary.missing["grade"]) == (28, 13, 2)
    # The product of 1 - 1/n over the censored times is 0.504 up to 790 days and 0.441 from 819 on.
    assert summary.median_follow_up == 819.0


def test_a_column_shows_its_type_and_its_categories_by_frequency(tmp_path: Path) -> None:
    rows = zip("abcdefg", [*"yxxyxz", "unknown"], ["0", "1", "", "1", "0", "1", "NA"], [""] * 7, strict=True)
    (tmp_path / "survival.csv").write_text(
        "case_id,time,event,site,hpv,empty\n"
        + "".join(
            f"{case},{n},1,{site},{hpv},{empty}\n" for n, (case, site, hpv, empty) in enumerate(rows, 1)
        )
    )
    (tmp_path / "survival.json").write_text('{"columns": {"hpv": {"type": "category"}}}')
    site, hpv, empty = summarise_cohort(read_survival_table(tmp_path / "survival.csv")).columns
    assert list(site.categories.items()) == [("x", 3), ("y", 2), ("unknown", 1), ("z", 1)]
    assert (site.kind, site.is_described, site.n_missing) == ("category", False, 0)
    assert (hpv.is_described, hpv.n_missing, hpv.categories) == (True, 2, {"1": 3, "0": 2})
    assert (empty.kind, empty.n_missing, empty.lowest, empty.categories) == ("number", 7, None, {})
