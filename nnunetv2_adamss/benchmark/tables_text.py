"""Results as tables for people and for programs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nnunetv2_adamss.benchmark.compared_patients import MeasuredDice
from nnunetv2_adamss.benchmark.durations import duration_text
from nnunetv2_adamss.benchmark.paper_methods import Published
from nnunetv2_adamss.benchmark.tables import Concordance, Row
from nnunetv2_adamss.evaluation.figures import p_text
from nnunetv2_adamss.metrics.estimate import Estimate
from nnunetv2_adamss.metrics.resampling import DEFAULT_RESAMPLES

NONE = "/"
_NOT_PUBLISHED = "not in the paper"
# Two-sided, where all resamples lie on one side of no difference; a little more where some cannot be estimated.
SMALLEST_P = 2.02 / (DEFAULT_RESAMPLES + 1)


@dataclass(frozen=True, eq=False)
class ShownTable:
    """A table for people.

    Args:
        title: above it.
        header: one a column.
        rows: cells.
        notes: below it.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]

    def markdown(self) -> list[str]:
        """As lines."""
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        table = [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]
        return [f"## {self.title}", "", *table, "", *(f"- {note}" for note in self.notes)]


@dataclass(frozen=True, eq=False)
class ResultTable(ShownTable):
    """The same for programs, too.

    Args:
        name: of the CSV file, without an ending.
        numbers: what it holds.
    """

    name: str
    numbers: pd.DataFrame


def comparison_table(
    name: str, title: str, rows: Sequence[Row], reference: str, notes: Sequence[str]
) -> ResultTable:
    """One of Tables I to III.

    Args:
        name: of the CSV file.
        title: for people.
        rows: in the paper's order.
        reference: title of the method that the others are held against.
        notes: what is true of every row.
    """
    columns: dict[str, Callable[[Row], str]] = {
        "Method": lambda row: row.result.method.title,
        "C-index [95% interval]": _c_index,
        "Pairs": lambda row: NONE if row.concordance is None else str(row.concordance.harrell.n_pairs),
        "C-index of each fold": _folds,
        "Uno's C": _uno,
        f"P against {reference}": lambda row: _p(row.p_value, row.p_value),
        "P (Holm)": lambda row: _p(row.p_value_holm, row.p_value),
        "Dice [95% interval]": lambda row: _estimate(row.dice, row.result.why_no_dice),
        "Parameters": lambda row: NONE if row.result.parameters is None else f"{row.result.parameters:,}",
        "Training of a fold": lambda row: NONE if row.result.seconds is None else duration_text(row.result.seconds),
        "C over seeds: mean, SD (n)": lambda row: _seeds(row.c_of_seeds),
        "PUBLISHED, other patients: C (Dice) of OPC; NPC": lambda row: _published(row.result.method.published),
    }  # fmt: skip
    if not any(len(row.c_of_seeds) > 1 for row in rows):
        del columns["C over seeds: mean, SD (n)"]
    if not any(_has_several_folds(row) for row in rows):
        del columns["C-index of each fold"]
    return ResultTable(
        title,
        tuple(columns),
        [[cell(row) for cell in columns.values()] for row in rows],
        [*notes, *_notes(rows)],
        name,
        _whole_numbers(pd.DataFrame([_numbers(row) for row in rows])),
    )


def fusion_weights_table(title: str, weights: pd.DataFrame, notes: Sequence[str]) -> ResultTable:
    """Table IV.

    Args:
        title: for people.
        weights: of ``fusion_weights``.
        notes: below it.
    """
    rows = [
        [f"after Stage {numeral}", *(_mean_sd(mean, sd) for mean, sd in weights[[stage, f"{stage}_sd"]].to_numpy())]
        for numeral, stage in (("I", "stage_one"), ("II", "stage_two"))
    ]  # fmt: skip
    header = ["Mean w_fuse of encoder stage", *map(str, weights["encoder_stage"])]
    return ResultTable(title, tuple(header), rows, notes, "table_4", weights)


def _c_index(row: Row) -> str:
    return _estimate(None if row.concordance is None else row.concordance.harrell, row.result.why_no_risk)


def _uno(row: Row) -> str:
    found = row.concordance
    return NONE if found is None or found.uno.value is None else f"{found.uno.value:.3f}"


def _has_several_folds(row: Row) -> bool:
    """Whether there is a C-index of one of several folds."""
    folds = {} if row.concordance is None else row.concordance.folds
    return len(folds) > 1 and any(fold.value is not None for fold in folds.values())


def _folds(row: Row) -> str:
    folds = {} if row.concordance is None else row.concordance.folds
    return ", ".join(_plain(fold.value) for fold in folds.values()) or NONE


def _estimate(estimate: Estimate | None, why_none: str) -> str:
    """Value and interval; what stands there instead is explained below the table."""
    if estimate is None:
        return "none, see below" if why_none else NONE
    if estimate.value is None:
        return "not estimable"
    if estimate.interval is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.interval[0]:.3f}, {estimate.interval[1]:.3f}]"


def _p(value: float | None, uncorrected: float | None) -> str:
    """A P value; what no resample contradicts is known only to be no greater than the least that they can show."""
    if value is None or uncorrected is None:
        return NONE
    if uncorrected <= SMALLEST_P and value < 1:
        return f"≤ {value:.3f}"
    return p_text(value).removeprefix("= ")


def _seeds(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f}, {np.std(values, ddof=1):.3f} ({len(values)})" if len(values) > 1 else NONE


def _published(published: Published | None) -> str:
    if published is None:
        return _NOT_PUBLISHED
    c_index = published.c_index or (None, None)
    dice = published.dice or (None, None)
    return "; ".join(
        f"{_plain(c)}{'' if d is None else f' ({d:.3f})'}" for c, d in zip(c_index, dice, strict=True)
    )


def _plain(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"


def _mean_sd(mean: float, sd: float) -> str:
    return f"{mean:.3f}" if np.isnan(sd) else f"{mean:.3f} (SD {sd:.3f})"


def _notes(rows: Sequence[Row]) -> Iterable[str]:
    """Why cells are empty, and what to bear in mind of single methods."""
    most = max((row.concordance.n_patients for row in rows if row.concordance), default=0)
    for row in rows:
        result, title = row.result, row.result.method.title
        for what, reason in (
            ("C-index", row.concordance.harrell.reason if row.concordance else result.why_no_risk),
            ("Dice", row.dice.reason if row.dice else result.why_no_dice),
        ):
            if reason:
                yield f"{title}, {what}: {reason}."
        if row.concordance and 0 < row.concordance.n_patients < most:
            yield f"{title}: predicts {row.concordance.n_patients} of {most} patients, and is compared on these."
        yield from result.notes


def _numbers(row: Row) -> dict[str, object]:
    result = row.result
    published = result.method.published or Published(None)
    found, dice = row.concordance or Concordance.none(), row.dice or Estimate(None)
    difference = row.difference or Estimate(None)
    several = len(row.c_of_seeds) > 1
    return {
        "method": result.method.name,
        "title": result.method.title,
        "n_patients": found.n_patients,
        **_with_bounds("c_index", found.harrell),
        "n_pairs": found.harrell.n_pairs if row.concordance else None,
        "c_index_reason": found.harrell.reason or result.why_no_risk or None,
        **_with_bounds("uno_c", found.uno),
        "uno_truncation_time": found.uno.truncation_time if found.folds else None,
        **_with_bounds("reference_less_it", difference),
        "p_value": row.p_value,
        "p_value_holm": row.p_value_holm,
        **_with_bounds("dice", dice),
        **_more_dice(result.dice),
        "dice_reason": dice.reason or result.why_no_dice or None,
        "parameters": result.parameters,
        "training_seconds_a_fold": result.seconds,
        "n_seeds": len(row.c_of_seeds),
        "c_index_mean_of_seeds": float(np.mean(row.c_of_seeds)) if several else None,
        "c_index_sd_of_seeds": float(np.std(row.c_of_seeds, ddof=1)) if several else None,
        **_of_cohorts("published_c_index", published.c_index),
        **_of_cohorts("published_dice", published.dice),
        **{f"c_index_fold_{number}": estimate.value for number, estimate in found.folds.items()},
        **{f"n_pairs_fold_{number}": estimate.n_pairs for number, estimate in found.folds.items()},
    }


def _more_dice(dice: MeasuredDice | None) -> dict[str, float | None]:
    """Beside the mean over patients."""
    if dice is None:
        return {"dice_aggregated": None}
    return {
        "dice_aggregated": dice.aggregated,
        **{f"dice_of_{label.label}": label.mean for label in dice.labels},
        **{f"dice_aggregated_of_{label.label}": label.aggregated for label in dice.labels},
    }


def _whole_numbers(numbers: pd.DataFrame) -> pd.DataFrame:
    """Counts as such, also where some are missing."""
    counts = [name for name in numbers if name == "parameters" or str(name).startswith("n_")]
    return numbers.astype(dict.fromkeys(counts, "Int64"))


def _with_bounds(name: str, estimate: Estimate) -> dict[str, float | None]:
    low, high = estimate.interval or (None, None)
    return {name: estimate.value, f"{name}_low": low, f"{name}_high": high}


def _of_cohorts(name: str, values: tuple[float, float] | None) -> dict[str, float | None]:
    opc, npc = values or (None, None)
    return {f"{name}_opc": opc, f"{name}_npc": npc}
