"""Tables of methods, for readers (text) and for programs (CSV)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nnunetv2_adamss.benchmark.compared_patients import MeasuredDice
from nnunetv2_adamss.benchmark.tables import Row
from nnunetv2_adamss.display.blocks import Table
from nnunetv2_adamss.display.words import NONE, duration, p_value, three_decimals, with_interval
from nnunetv2_adamss.methods.method import Published
from nnunetv2_adamss.metrics.estimate import Estimate, PairEstimate

_NOT_PUBLISHED = "not in the paper"


@dataclass(frozen=True, eq=False, kw_only=True)
class ResultTable(Table):
    """One table, for readers and for programs.

    Args:
        name: of the CSV file, without an ending.
        numbers: its content.
    """

    name: str
    numbers: pd.DataFrame


def comparison_table(
    name: str, title: str, rows: Sequence[Row], reference: str, notes: Sequence[str]
) -> ResultTable:
    """Write one of Tables I to III.

    Args:
        name: of the CSV file.
        title: of the table.
        rows: in the paper's order.
        reference: title of the method that the others are compared with.
        notes: on all rows.
    """
    columns: dict[str, Callable[[Row], str]] = {
        "Method": lambda row: row.result.method.title,
        "C-index [95% interval]": lambda row: _estimate(row.harrell, row.result.why_no_risk),
        "Pairs": lambda row: NONE if row.harrell is None else str(row.harrell.n_pairs),
        "C-index of each fold": _folds,
        "Uno's C": lambda row: three_decimals(row.uno.value),
        f"P against {reference}": lambda row: _p(row.p_value, row),
        "P (Holm)": lambda row: _p(row.p_value_holm, row),
        "Dice [95% interval]": lambda row: _estimate(row.dice, row.result.why_no_dice),
        "Parameters": lambda row: NONE if row.result.parameters is None else f"{row.result.parameters:,}",
        "Training of a fold": lambda row: NONE if row.result.seconds is None else duration(row.result.seconds),
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
        name=name,
        numbers=_whole_numbers(pd.DataFrame([_numbers(row) for row in rows])),
    )


def fusion_weights_table(title: str, weights: pd.DataFrame, notes: Sequence[str]) -> ResultTable:
    """Write Table IV.

    Args:
        title: of the table.
        weights: of ``fusion_weights``.
        notes: below the table.
    """
    rows = [
        [f"after Stage {numeral}", *(_mean_sd(mean, sd) for mean, sd in weights[[stage, f"{stage}_sd"]].to_numpy())]
        for numeral, stage in (("I", "stage_one"), ("II", "stage_two"))
    ]  # fmt: skip
    header = ["Mean w_fuse of encoder stage", *map(str, weights["encoder_stage"])]
    return ResultTable(title, tuple(header), rows, notes, name="table_4", numbers=weights)


def _has_several_folds(row: Row) -> bool:
    """Return True if the row has several folds and a C-index of any of them."""
    return len(row.folds) > 1 and any(fold.value is not None for fold in row.folds.values())


def _folds(row: Row) -> str:
    return ", ".join(three_decimals(fold.value) for fold in row.folds.values()) or NONE


def _estimate(estimate: Estimate | None, why_none: str) -> str:
    """Write value and interval; a reason instead is explained below the table."""
    if estimate is None:
        return "none, see below" if why_none else NONE
    return "not estimable" if estimate.value is None else with_interval(estimate.value, estimate.interval)


def _p(value: float | None, row: Row) -> str:
    """Write a P value; if no resample contradicts the difference, write the upper bound that the resamples can show."""
    return p_value(value, "≤ " if row.p_is_bound and value != 1 else "")


def _seeds(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f}, {np.std(values, ddof=1):.3f} ({len(values)})" if len(values) > 1 else NONE


def _published(published: Published | None) -> str:
    if published is None:
        return _NOT_PUBLISHED
    c_index = published.c_index or (None, None)
    dice = published.dice or (None, None)
    return "; ".join(
        f"{three_decimals(c)}{'' if d is None else f' ({three_decimals(d)})'}"
        for c, d in zip(c_index, dice, strict=True)
    )


def _mean_sd(mean: float, sd: float) -> str:
    return f"{mean:.3f}" if np.isnan(sd) else f"{mean:.3f} (SD {sd:.3f})"


def _notes(rows: Sequence[Row]) -> Iterable[str]:
    """Collect the reasons for empty cells, and the notes on single methods."""
    most = max((row.n_patients for row in rows), default=0)
    for row in rows:
        result, title = row.result, row.result.method.title
        for what, reason in (
            ("C-index", row.harrell.reason if row.harrell else result.why_no_risk),
            ("Dice", row.dice.reason if row.dice else result.why_no_dice),
        ):
            if reason:
                yield f"{title}, {what}: {reason}."
        if 0 < row.n_patients < most:
            yield f"{title}: predicts {row.n_patients} of {most} patients, and is compared on these."
        yield from result.notes


def _numbers(row: Row) -> dict[str, object]:
    result = row.result
    published = result.method.published or Published(None)
    harrell, dice = row.harrell or PairEstimate(None), row.dice or Estimate(None)
    several = len(row.c_of_seeds) > 1
    return {
        "method": result.method.name,
        "title": result.method.title,
        "n_patients": row.n_patients,
        **_with_bounds("c_index", harrell),
        "n_pairs": row.harrell.n_pairs if row.harrell else None,
        "c_index_reason": harrell.reason or result.why_no_risk or None,
        **_with_bounds("uno_c", row.uno),
        "uno_truncation_time": row.uno.truncation_time if row.folds else None,
        **_with_bounds("reference_less_it", row.difference or Estimate(None)),
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
        **{f"c_index_fold_{number}": estimate.value for number, estimate in row.folds.items()},
        **{f"n_pairs_fold_{number}": estimate.n_pairs for number, estimate in row.folds.items()},
    }


def _more_dice(dice: MeasuredDice | None) -> dict[str, float | None]:
    """Return the figures of Dice beside the mean over patients."""
    if dice is None:
        return {"dice_aggregated": None}
    return {
        "dice_aggregated": dice.aggregated,
        **{f"dice_of_{label.label}": label.mean for label in dice.labels},
        **{f"dice_aggregated_of_{label.label}": label.aggregated for label in dice.labels},
        **{f"lesion_f1_of_{label.label}": label.lesions.f1 for label in dice.labels if label.lesions},
    }


def _whole_numbers(numbers: pd.DataFrame) -> pd.DataFrame:
    """Keep counts integer, also where some are missing."""
    counts = [name for name in numbers if name == "parameters" or str(name).startswith("n_")]
    return numbers.astype(dict.fromkeys(counts, "Int64"))


def _with_bounds(name: str, estimate: Estimate) -> dict[str, float | None]:
    low, high = estimate.interval or (None, None)
    return {name: estimate.value, f"{name}_low": low, f"{name}_high": high}


def _of_cohorts(name: str, values: tuple[float, float] | None) -> dict[str, float | None]:
    opc, npc = values or (None, None)
    return {f"{name}_opc": opc, f"{name}_npc": npc}
