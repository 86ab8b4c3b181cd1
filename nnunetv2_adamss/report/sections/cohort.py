"""The cohort: from the raw data set to the folds, events, follow-up, missing values."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from nnunetv2_adamss.display.blocks import Block, Facts, Notice, Picture, Table, Text
from nnunetv2_adamss.display.charts import WIDTH, Chart, draw_kaplan_meier, round_ticks
from nnunetv2_adamss.display.words import NONE, count, number, percent, significant, time
from nnunetv2_adamss.survival.cohort.cohort_summary import CohortSummary, median_follow_up, summarise_cohort
from nnunetv2_adamss.survival.cohort.survival_table import SurvivalTable
from nnunetv2_adamss.survival.nnunet_data.dataset import raw_cases
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation


def patient_flow(source: CrossValidation) -> Iterator[Block]:
    """Show the numbers of patients from images over outcomes to folds."""
    table, has_raw = source.table, source.raw_folder.is_dir()
    with_images = set(raw_cases(source.raw_folder)) if has_raw else set(table.case_ids)
    steps = [(f"{count(len(with_images), 'case')} with images in the raw data set", "")] if has_raw else []
    no_row = len(with_images - set(table.case_ids))
    unknown = len(with_images & set(table.without_outcome))
    lost = [f"{count(no_row, 'case')} without a row in the table"] if no_row else []
    lost += [f"{count(unknown, 'case')} without an outcome: they can serve Stage I only"] if unknown else []
    n_events = int(table.outcomes["event"].sum())
    steps.append(
        (
            f"{count(len(table.outcomes), 'case')} with an outcome, {count(n_events, 'event')}",
            "; ".join(lost),
        )
    )
    yield Facts([*steps, *_fold_steps(source)], "steps")
    if not has_raw:
        yield Notice(f"The raw data set is no longer in {source.raw_folder}, so its images are not counted.")


def _fold_steps(source: CrossValidation) -> list[tuple[str, str]]:
    if source.folds[0].number == "all":
        return [("All of them train one model (fold all)", "no patient is left to evaluate it on")]
    validated = sum(fold.summary["cases"]["validation"]["cases"] for fold in source.folds)
    absent = source.numbers_of_absent_folds
    return [
        (
            f"{count(validated, 'case')} predicted by a model that was not trained on them, in "
            f"{count(len(source.folds), 'fold')}",
            f"folds not in this report: {', '.join(map(str, absent))}" if absent else "",
        )
    ]


def cohort_facts(source: CrossValidation) -> Iterator[Block]:
    """Show numbers of the whole cohort and its Kaplan-Meier curve."""
    table = source.table
    summary = summarise_cohort(table)
    yield Facts(
        [
            ("Endpoint", summary.endpoint or "not named in survival.json"),
            ("Events", f"{summary.n_events} ({percent(1 - summary.censored_fraction)} of those with an outcome)"),
            ("Censored", percent(summary.censored_fraction)),
            ("Median follow-up (reverse Kaplan-Meier)", follow_up_words(summary)),
        ]
    )  # fmt: skip
    yield kaplan_meier_picture(table)


def follow_up_words(summary: CohortSummary) -> str:
    """Return the median follow-up with its unit, or the reason why there is none."""
    if summary.median_follow_up is None:
        return "not reached: too few patients are censored"
    return time(summary.median_follow_up, summary.time_unit)


def kaplan_meier_picture(table: SurvivalTable) -> Picture:
    """Draw the Kaplan-Meier curve of all patients with an outcome."""
    times, event = table.time_and_event(list(table.outcomes.index))
    unit, ticks = table.description.time_unit, round_ticks(float(times.max()))[1:]
    with Chart(WIDTH, 3.2) as chart:
        (observed,) = draw_kaplan_meier(chart.axes()[0, 0], [("all patients", event, times)], unit)
        survival = observed.at(np.array(ticks))[0]
        curve = "; ".join(
            f"{number(value)} at {time(tick, unit)}" for tick, value in zip(ticks, survival, strict=True)
        )
        return chart.picture(
            f"Kaplan-Meier curve of {len(times)} patients. Event-free fraction: {curve}.",
            "Kaplan-Meier curve of all patients with an outcome. Band: 95% interval; ticks: censored patients.",
        )


def fold_table(source: CrossValidation) -> Iterator[Block]:
    """Show cases and events of each fold."""
    parts = ("training", "inner", "validation")
    names = {"training": "Training", "inner": "Set aside to choose the epoch", "validation": "Validation"}
    used = [part for part in parts if any(fold.summary["cases"][part]["cases"] for fold in source.folds)]
    rows = [
        [
            fold.name,
            *(f"{c['cases']} ({count(c['events'], 'event')})" for c in (fold.summary["cases"][p] for p in used)),
        ]
        for fold in source.folds
    ]  # fmt: skip
    yield Table("Patients and events of each fold", ["Fold", *(names[part] for part in used)], rows)


def by_centre(source: CrossValidation) -> Iterator[Block]:
    """Show size, events and follow-up of each group of the group column."""
    table = source.table
    column = table.description.group_column
    if column is None:
        yield Text(
            "The patients are one group: survival.json names no group_column, such as the centre, that would split "
            "groups apart."
        )
        return
    groups = table.groups(column)
    rows = []
    for group in sorted(groups.unique()):
        cases = [case_id for case_id in groups.index[groups == group] if case_id in table.outcomes.index]
        times, event = table.time_and_event(cases)
        follow_up = median_follow_up(times, event) if cases else None
        rows.append([str(group), str(int((groups == group).sum())), f"{int(event.sum())}",
                     percent(1 - event.mean()) if cases else NONE, significant(follow_up, 6)])  # fmt: skip
    unit = table.description.time_unit
    yield Table(
        f"By {column}",
        [column, "Patients", "Events", "Censored", f"Median follow-up ({unit})"],
        rows,
        ["Follow-up by reverse Kaplan-Meier; a dash where too few are censored."],
    )


def characteristics(source: CrossValidation) -> Iterator[Block]:
    """Show the clinical columns: values and numbers of missing ones."""
    table = source.table
    if table.clinical.empty or not len(table.clinical.columns):
        yield Text("The table has no clinical columns.")
        return
    column = table.description.group_column
    groups = None if column is None else table.groups(column)
    names = [] if groups is None else sorted(map(str, groups.unique()))
    rows = []
    for name in map(str, table.clinical):
        if name == column:
            continue
        values = table.clinical[name]
        cells = [values] if groups is None else [values, *(values[groups == group] for group in names)]
        rows += _value_rows(name, cells)
        if values.isna().any():
            rows.append(
                [f"{name}: missing", *(f"{c.isna().sum()} ({percent(c.isna().mean())})" for c in cells)]
            )
    complete = [str(n) for n in table.clinical if n != column and not table.clinical[n].isna().any()]
    yield Table(
        "Clinical columns: median (range) of numbers, patients (share) of categories",
        ["Column", "All", *(f"{column} {name}" for name in names)],
        rows,
        [f"No value is missing in: {', '.join(complete)}."] if complete else [],
    )


def _value_rows(name: str, cells: list[pd.Series]) -> list[list[str]]:
    if pd.api.types.is_float_dtype(cells[0]):
        return [[name, *map(_median_and_range, cells)]]
    categories = sorted(map(str, cells[0].dropna().unique()))
    shown = categories[:8]
    rows = [
        [
            f"{name}: {category}",
            *(f"{(c == category).sum()} ({percent((c == category).mean())})" for c in cells),
        ]
        for category in shown
    ]
    rest = categories[len(shown) :]
    if rest:
        rows.append([f"{name}: {len(rest)} further categories", *(str(c.isin(rest).sum()) for c in cells)])
    return rows


def _median_and_range(values: pd.Series) -> str:
    known = values.dropna().to_numpy(np.float64)
    if not known.size:
        return NONE
    digits = 0 if np.abs(known).max() >= 100 else 1
    median, low, high = (number(float(f(known)), digits) for f in (np.median, np.min, np.max))
    return f"{median} ({low} to {high})"
