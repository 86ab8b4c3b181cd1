"""Covariates of the network, and their selection on the training cases of each fold."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from nnunetv2_adamss.common.tables.csv_text import read_csv
from nnunetv2_adamss.display.blocks import Block, Notice, Picture, Table, Text
from nnunetv2_adamss.display.charts import BLUE, GREY, VERMILION, WIDTH, Chart, picture_of
from nnunetv2_adamss.display.words import NONE, joined, number, p_value, percent, significant, with_interval
from nnunetv2_adamss.survival.covariates.covariate_results import (
    HAZARD_RATIOS_FILE,
    SELECTION_FILE,
    SELECTION_PLOT,
)
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold

_RATIO_TICKS, _RATIO_LIMITS = (0.02, 0.1, 0.25, 0.5, 1, 2, 4, 10, 50), (0.02, 50.0)


def inputs_of_folds(source: CrossValidation) -> Iterator[Block]:
    """Show the covariates of each fold's network."""
    used = {fold.name: _inputs(fold) for fold in source.folds}
    names = sorted({name for inputs in used.values() for name in inputs})
    if not names:
        yield Text("The network gets no covariates: it sees the image alone.")
        return
    yield Text(
        "Chosen on the training patients of each fold. What is chosen in every fold is the steadiest; what "
        "is chosen once may be chance."
    )
    rows = [[name, *("yes" if name in inputs else NONE for inputs in used.values())] for name in names]
    rows.sort(key=lambda row: -row.count("yes"))
    yield Table("Covariates that each fold's network gets beside the image", ["Covariate", *used], rows)
    notes = [(fold.name, note) for fold in source.folds for note in _covariates(fold).get("notes", [])]
    if notes:
        yield Table("What was noted when they were fitted", ["Fold", "Note"], notes, is_prose=True)


def _covariates(fold: TrainedFold) -> dict[str, Any]:
    return dict(fold.summary.get("covariates") or {})


def _inputs(fold: TrainedFold) -> list[str]:
    return list(_covariates(fold).get("inputs", []))


def hazard_ratios(source: CrossValidation) -> Iterator[Block]:
    """Show Cox models of the clinical indicators."""
    tables = {fold.name: _read(fold, HAZARD_RATIOS_FILE) for fold in source.folds}
    there = {name: table for name, table in tables.items() if table is not None}
    if not there:
        yield Text("No fold screened clinical indicators, so there are no hazard ratios.")
        return
    all_rows = pd.concat([table.assign(fold=name) for name, table in there.items()])
    yield _forest(all_rows)
    rows = [
        [row.fold, _column(row), p_value(row.screening_p), "yes" if row.kept else "no",
         _ratio(row, "univariate"), _ratio(row, "multivariate")]
        for row in _rows(all_rows)
    ]  # fmt: skip
    notes = sorted({str(note) for note in all_rows["note"].dropna() if note})
    yield Table(
        "Hazard ratios of clinical indicators in the training patients [95% interval]",
        ["Fold", "Indicator", "Screening P", "Kept", "Alone", "Together"],
        rows,
        [
            "Screening: likelihood-ratio test of the whole indicator alone. Together: one Cox model of all that were "
            "kept. Folds share most of their patients, so they do not confirm each other.",
            *notes,
        ],
        n_names=2,
    )


def _rows(table: pd.DataFrame) -> list[Any]:
    """Return rows with the columns as attributes, which pandas cannot type."""
    return list(table.itertuples(index=False))


def _read(fold: TrainedFold, name: str) -> pd.DataFrame | None:
    file = fold.folder / name
    return read_csv(file, dtype={"note": str}) if file.is_file() else None


def _column(row: Any) -> str:
    if pd.isna(row.unit):
        return str(row.column)
    return f"{row.column}, {'' if str(row.unit).startswith('against') else 'per '}{row.unit}"


def _ratio(row: Any, name: str) -> str:
    value, low, high = (getattr(row, f"{name}_hr{end}") for end in ("", "_low", "_high"))
    return with_interval(value, (low, high), significant)


def _forest(rows: pd.DataFrame) -> Picture:
    """Draw univariate hazard ratios, one line an indicator and fold."""
    rows = rows.sort_values(["indicator", "column"], kind="stable").reset_index(drop=True)
    with Chart(WIDTH, 0.9 + 0.2 * len(rows)) as chart:
        axes = chart.axes()[0, 0]
        axes.axvline(1, color=GREY, linewidth=0.8)
        for place, row in enumerate(_rows(rows)):
            _draw_ratio(axes, place, row)
        axes.set_yticks(range(len(rows)), [f"{_column(r)} · {r.fold}" for r in _rows(rows)], fontsize=8)
        axes.set(xscale="log", xlabel="hazard ratio alone (above 1: events come earlier)")
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xticks([tick for tick in _RATIO_TICKS if _is_within(axes.get_xlim(), tick)])
        axes.xaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        said = "; ".join(f"{_column(r)}, {r.fold}: {_ratio(r, 'univariate')}" for r in _rows(rows))
        return chart.picture(
            f"Hazard ratios of clinical indicators alone. {said}.",
            "Hazard ratio of each clinical indicator alone with its 95% interval, by fold. Squares: kept for the "
            "network; circles: dropped.",
        )


def _draw_ratio(axes: Axes, place: int, row: Any) -> None:
    """Draw a point with its interval, cut at the limits of the axis."""
    colour, marker = (VERMILION, "s") if row.kept else (BLUE, "o")
    ratios = (row.univariate_hr_low, row.univariate_hr, row.univariate_hr_high)
    low, ratio, high = (min(max(value, _RATIO_LIMITS[0]), _RATIO_LIMITS[1]) for value in ratios)
    axes.plot([low, high], [place, place], color=colour)
    axes.plot(ratio, place, marker, color=colour, markersize=4)


def _is_within(limits: Sequence[float], value: float) -> bool:
    return limits[0] <= value <= limits[1]


def selected_features(source: CrossValidation) -> Iterator[Block]:
    """Show the selected radiomics and own features."""
    tables = {fold: _read(fold, SELECTION_FILE) for fold in source.folds}
    there = {fold: table for fold, table in tables.items() if table is not None}
    if not there:
        yield Text("No fold selected radiomics or features of the user's own.")
        return
    rows = [
        [fold.name, row.feature, number(row.weight, 3), _frequency(row.bootstrap_frequency)]
        for fold, table in there.items()
        for row in _rows(table)
    ]
    yield Table(
        "Features selected by LASSO-Cox in each fold",
        ["Fold", "Feature", "Weight of one standard deviation", "Chosen in bootstrap samples"],
        rows,
        [
            "A feature that few bootstrap samples choose is interchangeable with others. Above 0 the weight means an "
            "earlier event."
        ],
        n_names=2,
    )
    for fold in there:
        selection = _covariates(fold).get("feature_selection") or {}
        if selection.get("reason"):
            yield Notice(f"{fold.name}: {selection['reason']}.")
        yield from _paths(fold, [row[1] for row in rows if row[0] == fold.name])


def _frequency(value: float | None) -> str:
    return NONE if value is None or pd.isna(value) else percent(value)


def _paths(fold: TrainedFold, selected: Sequence[str]) -> Iterator[Picture]:
    file = fold.folder / SELECTION_PLOT
    if file.is_file():
        yield picture_of(
            file,
            f"LASSO path of {fold.name}: weights of the features against the penalty. Selected: {joined(selected)}.",
            f"{fold.name}: how the weights grow as the penalty falls, and the inner cross-validation that chose it.",
        )
