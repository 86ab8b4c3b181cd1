"""How well risks and curves agree with what happened, of a cross-validation or of new patients."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TypeVar

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.evaluation.evaluated_patients import Patients
from nnunetv2_adamss.evaluation.evaluation import CohortFacts, Evaluation, PartC
from nnunetv2_adamss.evaluation.figures import (
    auc_figure,
    calibration_figure,
    decision_curve_figure,
    horizon_text,
    kaplan_meier_figure,
)
from nnunetv2_adamss.metrics.estimate import Estimate
from nnunetv2_adamss.report.blocks import Block, Facts, Notice, Picture, Table, Text
from nnunetv2_adamss.report.build import section
from nnunetv2_adamss.report.charts import picture_by
from nnunetv2_adamss.report.words import NONE, count, number, p_value, percent, significant, with_interval

_Item = TypeVar("_Item")


def ranking(evaluation: Evaluation) -> Iterator[Block]:
    """Whether those who had the event earlier were given the higher risk."""
    yield Text(
        "Of two patients, did the one with the earlier event get the higher risk? C is the share of comparable "
        "pairs in which that is so: 0.5 is a guess, 1 perfect. In brackets: 95% bootstrap interval."
    )
    harrell, uno = evaluation.harrell_c, evaluation.uno_c
    unit = evaluation.cohort.time_unit
    yield Facts(
        [
            ("Harrell's C", estimate_words(harrell)),
            ("Comparable pairs", f"{harrell.n_pairs:,}"),
            (f"Uno's C, up to {significant(uno.truncation_time, 4)} {unit}", estimate_words(uno)),
        ]
    )
    yield from (Notice(note, is_caution=True) for note in [*_left_out(evaluation.cohort), *evaluation.notes])
    if evaluation.folds:
        yield _parts_table("Harrell's C by fold", "Fold", evaluation.folds)
    if evaluation.groups:
        yield _parts_table(
            f"Harrell's C by {evaluation.group_column}", str(evaluation.group_column), evaluation.groups
        )


def _left_out(cohort: CohortFacts) -> Iterator[str]:
    if cohort.without_outcome:
        yield f"Left out, since their outcome is not known: {listed(cohort.without_outcome)}."
    if cohort.without_prediction:
        yield f"Not judged, since they are not predicted: {listed(cohort.without_prediction)}."


class _Cells:
    """Cells of a table, and below it, each once, why some are empty."""

    def __init__(self) -> None:
        self._reasons: dict[str, None] = {}

    def estimate(self, estimate: Estimate, digits: int = 3) -> str:
        """Value and interval; a dash where there is no sound one."""
        if estimate.reason:
            self._reasons[estimate.reason] = None
        is_sound = estimate.value is not None and not (estimate.reason or "").startswith("not estimable")
        return with_interval(estimate.value, estimate.interval, digits) if is_sound else NONE

    def percent(self, estimate: Estimate) -> str:
        """The same of a share."""
        if estimate.reason:
            self._reasons[estimate.reason] = None
        return _percent_words(estimate)

    def note(self, text: str = "") -> str:
        """A text for below the table, with the reasons."""
        why = f"Where there is a dash: {'; '.join(self._reasons)}." if self._reasons else ""
        return " ".join(filter(None, [text, why]))


def estimate_words(estimate: Estimate, digits: int = 3) -> str:
    """Value with interval; the reason where one is missing or not sound."""
    reason = estimate.reason
    if estimate.value is None or (reason or "").startswith("not estimable"):
        return reason or NONE
    return with_interval(estimate.value, estimate.interval, digits) + (f"; {reason}" if reason else "")


def _parts_table(caption: str, column: str, parts: Sequence[PartC]) -> Table:
    cells = _Cells()
    rows = [
        [
            part.name,
            str(part.n_patients),
            str(part.n_events),
            str(part.c_index.n_pairs),
            cells.estimate(part.c_index),
        ]
        for part in parts
    ]
    header = [column, "Patients", "Events", "Comparable pairs", "C (95% interval)"]
    return Table(caption, header, rows, cells.note())


def comparisons(evaluation: Evaluation) -> Iterator[Block]:
    """The model beside what needs no network."""
    if not evaluation.comparisons:
        yield Notice(
            "Nothing stands beside the model: there are neither masks nor predictions by covariates alone."
        )
        return
    cells = _Cells()
    rows = [
        [one.name, str(one.n_patients), number(one.result.second.value, 3), number(one.result.first.value, 3),
         cells.estimate(one.result.difference), p_value(one.p_value_holm)]
        for one in evaluation.comparisons
    ]  # fmt: skip
    yield Table(
        "Harrell's C of simpler risks and of the model, on the same patients",
        ["Risk by", "Patients", "Its C", "Model's C", "Model less it (95% interval)", "P (Holm)"],
        rows,
        cells.note(
            "Paired bootstrap; two-sided P, corrected for the number of comparisons. Volume and SUVmax are those "
            "of the masks that the network worked with."
        ),
    )


def at_horizons(evaluation: Evaluation) -> Iterator[Block]:
    """AUC and Brier score."""
    unit = evaluation.cohort.time_unit
    cells = _Cells()
    rows = [
        [horizon_text(auc.horizon, unit), cells.estimate(auc), cells.estimate(brier.score),
         number(brier.kaplan_meier.value, 3), cells.estimate(brier.skill)]
        for auc, brier in zip(evaluation.auc, evaluation.brier, strict=True)
    ]  # fmt: skip
    whole = evaluation.integrated_brier
    rows.append(
        [f"up to {significant(whole.end, 4)} {unit}", NONE, cells.estimate(whole.score),
         number(whole.kaplan_meier.value, 3), cells.estimate(whole.skill)]
    )  # fmt: skip
    yield Table(
        "At clinical horizons (95% interval)",
        ["Within", "AUC", "Brier score", "Brier, Kaplan-Meier", "Skill"],
        rows,
        cells.note(
            "AUC: who has the event by then against who lives on without it, 0.5 is a guess. Brier score: squared "
            "error of the predicted probability, lower is better; skill above 0 is better than one Kaplan-Meier "
            "curve for everybody."
        ),
    )
    known = [auc for auc in evaluation.auc if auc.value is not None]
    if len(known) > 1:
        said = "; ".join(
            f"{horizon_text(a.horizon, unit)}: {with_interval(a.value, a.interval)}" for a in known
        )
        yield picture_by(
            partial(auc_figure, known, unit),
            f"AUC by horizon. {said}.",
            "AUC at each horizon with its 95% interval.",
        )


def risk_groups(evaluation: Evaluation, patients: Patients) -> Iterator[Block]:
    """Patients of low and high risk."""
    found, unit = evaluation.risk_groups, evaluation.cohort.time_unit
    if not found.groups or patients.is_high_risk is None:
        yield Notice(_sentence(found.reason or "no risk groups"))
        return
    rows = [
        [group.name, str(group.n_patients), str(group.n_events),
         "not reached" if group.median_survival is None else f"{significant(group.median_survival, 4)} {unit}"]
        for group in found.groups
    ]  # fmt: skip
    yield Table("Patients by predicted risk", ["Risk", "Patients", "Events", "Median survival"], rows)
    yield Facts(
        [
            ("Groups by", found.source or NONE),
            ("Log-rank P", p_value(found.log_rank_p)),
            ("Hazard ratio, high against low", estimate_words(found.hazard_ratio, digits=2)),
        ]
    )
    said = "; ".join(f"{row[0]} risk: {row[1]} patients, {row[2]} events, median {row[3]}" for row in rows)
    yield picture_by(
        partial(kaplan_meier_figure, patients.is_high_risk, patients.event, patients.time, unit),
        f"Kaplan-Meier curves of two risk groups. {said}. Log-rank P {p_value(found.log_rank_p)}.",
        "Kaplan-Meier curves of patients of low and high predicted risk, with 95% intervals and numbers at risk.",
    )


def calibration(evaluation: Evaluation) -> Iterator[Block]:
    """Whether as many have the event as were predicted to."""
    unit = evaluation.cohort.time_unit
    cells = _Cells()
    rows = [
        [horizon_text(one.horizon, unit), percent(one.predicted) if one.predicted is not None else NONE,
         cells.percent(one.observed), cells.estimate(one.observed_to_predicted, digits=2)]
        for one in evaluation.calibration
    ]  # fmt: skip
    yield Table(
        "Predicted and observed risk of the event (95% interval)",
        ["Within", "Mean predicted", "Observed (1 less Kaplan-Meier)", "Observed to predicted"],
        rows,
        cells.note("Above 1: events are more frequent than predicted."),
    )
    d = evaluation.d_calibration
    yield Text(
        f"D-calibration: {d.reason or f'P {p_value(d.p_value)}; a small P says that the curves do not hold'}."
    )
    drawn = [one for one in evaluation.calibration if one.groups]
    for part in _two_by_two(drawn):
        said = "; ".join(
            f"{horizon_text(one.horizon, unit)}: "
            + ", ".join(
                f"predicted {percent(g.predicted)}, observed {_percent_words(g.observed)}" for g in one.groups
            )
            for one in part
        )
        yield picture_by(
            partial(calibration_figure, part, unit),
            f"Observed against predicted risk in groups of patients. {said}.",
            "Observed against predicted risk, in groups of patients of similar risk. On the dotted line both agree.",
        )


def _percent_words(estimate: Estimate) -> str:
    if estimate.value is None or estimate.interval is None:
        return NONE
    low, high = estimate.interval
    return f"{percent(estimate.value)} ({percent(low)} to {percent(high)})"


def decision_curves(evaluation: Evaluation) -> Iterator[Picture]:
    """What treating by the prediction would be worth."""
    unit = evaluation.cohort.time_unit
    drawn = [curve for curve in evaluation.decision_curves if curve.thresholds]
    for part in _two_by_two(drawn):
        names = " and ".join(horizon_text(curve.horizon, unit) for curve in part)
        best = [
            f"{horizon_text(c.horizon, unit)}: {_useful_range(c.thresholds, c.net_benefit, c.treat_all)}"
            for c in part
        ]
        yield picture_by(
            partial(decision_curve_figure, part, unit),
            f"Decision curves by {names}. {'; '.join(best)}.",
            "Net benefit of treating by the prediction: useful where the solid line is above both others.",
        )


def _useful_range(
    thresholds: Sequence[float], benefit: Sequence[float | None], treat_all: Sequence[float]
) -> str:
    better = [
        t for t, own, everybody in zip(thresholds, benefit, treat_all, strict=True)
        if own is not None and own > max(everybody, 0)
    ]  # fmt: skip
    if not better:
        return "at no threshold better than treating all or none"
    return f"better than treating all or none at thresholds between {percent(better[0])} and {percent(better[-1])}"


def headlines(evaluation: Evaluation) -> list[tuple[str, str]]:
    """The few numbers that a reader looks for first."""
    facts, harrell = evaluation.cohort, evaluation.harrell_c
    pairs = count(harrell.n_pairs, "pair")
    if harrell.interval is None or harrell.reason:
        c_index = (f"Harrell's C: {estimate_words(harrell)}", NONE)
    else:
        low, high = harrell.interval
        name = f"Harrell's C, 95% interval {number(low, 3)} to {number(high, 3)}, {pairs}"
        c_index = (name, number(harrell.value, 3))
    return [
        ("patients with prediction and outcome", f"{facts.n_patients:,}"),
        ("events", f"{facts.n_events:,} ({percent(1 - facts.censored_fraction)})"),
        c_index,
    ]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _two_by_two(items: Sequence[_Item]) -> list[Sequence[_Item]]:
    """More panels side by side would be too small to read."""
    return [items[first : first + 2] for first in range(0, len(items), 2)]


def subsections(evaluation: Evaluation, patients: Patients, prefix: str) -> Iterator[Block]:
    """All of it under headlines of their own.

    Args:
        evaluation: the results.
        patients: that they are of.
        prefix: of the identifiers.
    """
    for name, title, part in (
        ("ranking", "Ranking", partial(ranking, evaluation)),
        ("baselines", "Beside simpler predictions", partial(comparisons, evaluation)),
        ("groups", "Risk groups", partial(risk_groups, evaluation, patients)),
        ("horizons", "At horizons", partial(at_horizons, evaluation)),
        ("calibration", "Calibration", partial(calibration, evaluation)),
        ("decision", "Decision curves", partial(decision_curves, evaluation)),
    ):
        made = section(f"{prefix}-{name}", title, [part])
        if made.blocks:
            yield made
