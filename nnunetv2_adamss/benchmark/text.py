"""Results as tables for people and for programs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nnunetv2_adamss.assessment.figures import p_text
from nnunetv2_adamss.benchmark.methods import Published
from nnunetv2_adamss.benchmark.tables import Concordance, Row
from nnunetv2_adamss.evaluation.estimate import Estimate

NONE = "/"
_NOT_PUBLISHED = "not in the paper"


@dataclass(frozen=True, eq=False)
class ResultTable:
    """A table, as it is written.

    Args:
        name: of the CSV file, without an ending.
        title: for people.
        header: one a column.
        rows: cells for people.
        notes: below it.
        numbers: the same for programs.
    """

    name: str
    title: str
    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]
    numbers: pd.DataFrame

    def markdown(self) -> list[str]:
        """As lines."""
        lines = [self.header, ["---"] * len(self.header), *self.rows]
        table = [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]
        return [f"## {self.title}", "", *table, "", *(f"- {note}" for note in self.notes)]


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
    has_seeds = any(len(row.c_of_seeds) > 1 for row in rows)
    header = ["Method", "C-index [95% interval]", "Pairs", "Uno's C", f"P against {reference}", "P (Holm)",
              "Dice [95% interval]", "Parameters", "Training of a fold"]  # fmt: skip
    header += ["C over seeds: mean, SD (n)"] if has_seeds else []
    header += ["PUBLISHED, other patients: C (Dice) of OPC; NPC"]
    return ResultTable(
        name,
        title,
        tuple(header),
        [_cells(row, has_seeds) for row in rows],
        [*notes, *_notes(rows)],
        pd.DataFrame([_numbers(row) for row in rows]),
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
    return ResultTable("table_4", title, tuple(header), rows, notes, weights)


def duration_text(seconds: float) -> str:
    """As people say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _cells(row: Row, has_seeds: bool) -> list[str]:
    result, found = row.result, row.concordance
    cells = [
        result.method.title,
        _estimate(None if found is None else found.harrell, result.why_no_risk),
        NONE if found is None else str(found.harrell.n_pairs),
        NONE if found is None or found.uno.value is None else f"{found.uno.value:.3f}",
        _p(row.p_value),
        _p(row.p_value_holm),
        _estimate(row.dice, result.why_no_dice),
        NONE if result.parameters is None else f"{result.parameters:,}",
        NONE if result.seconds is None else duration_text(result.seconds),
    ]
    if has_seeds:
        cells.append(_seeds(row.c_of_seeds))
    return [*cells, _published(result.method.published)]


def _estimate(estimate: Estimate | None, why_none: str) -> str:
    """Value and interval; what stands there instead is explained below the table."""
    if estimate is None:
        return "none, see below" if why_none else NONE
    if estimate.value is None:
        return "not estimable"
    if estimate.interval is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.interval[0]:.3f}, {estimate.interval[1]:.3f}]"


def _p(value: float | None) -> str:
    return NONE if value is None else p_text(value).removeprefix("= ")


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


def _with_bounds(name: str, estimate: Estimate) -> dict[str, float | None]:
    low, high = estimate.interval or (None, None)
    return {name: estimate.value, f"{name}_low": low, f"{name}_high": high}


def _of_cohorts(name: str, values: tuple[float, float] | None) -> dict[str, float | None]:
    opc, npc = values or (None, None)
    return {f"{name}_opc": opc, f"{name}_npc": npc}
