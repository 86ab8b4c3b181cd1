"""Write the results in words, tables and pictures, for ``metrics.md`` and for the report."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.display.blocks import Block, Facts, Notice, Picture, Section, Table, Text
from nnunetv2_adamss.display.charts import picture
from nnunetv2_adamss.display.parts import Part
from nnunetv2_adamss.display.words import (
    NONE,
    Reasons,
    estimate,
    missing_values,
    number,
    p_value,
    percent,
    sentence,
    significant,
    three_decimals,
    time,
    with_interval,
)
from nnunetv2_adamss.evaluation.evaluate import horizon_text
from nnunetv2_adamss.evaluation.evaluated_patients import Patients
from nnunetv2_adamss.evaluation.evaluation import CohortFacts, Evaluation, PartC
from nnunetv2_adamss.evaluation.figures import (
    auc_figure,
    calibration_figure,
    decision_curve_figure,
    kaplan_meier_figure,
)
from nnunetv2_adamss.metrics.brier import BrierScore
from nnunetv2_adamss.metrics.decision_curve import DecisionCurve
from nnunetv2_adamss.metrics.dice import LabelDice
from nnunetv2_adamss.metrics.estimate import Estimate
from nnunetv2_adamss.metrics.lesion_detection import LEAST_OVERLAP, LesionDetection

_HECKTOR = (
    "HECKTOR 2025 ranks GTVp by the mean Dice, and GTVn by the Dice of all cases as one and by F1; 2022 takes the Dice "
    "of all cases as one, 2026 the mean Dice, each averaged over GTVp and GTVn."
)


def evaluation_sections(evaluation: Evaluation) -> list[Section]:
    """Return all results except the curves, without pictures."""
    sections = [Section(name, title, list(part())) for name, title, part in evaluation_parts(evaluation)]
    return [section for section in sections if section.blocks]


def evaluation_parts(
    evaluation: Evaluation, patients: Patients | None = None, about_others: Sequence[str] = ()
) -> list[tuple[str, str, Part]]:
    """Return name, title and blocks of each section; a section without results has no blocks.

    Args:
        evaluation: the results.
        patients: of the results, for pictures; None for no pictures.
        about_others: sentences about the compared risk scores.
    """
    parts: list[tuple[str, str, Callable[[Evaluation], Iterator[Block]]]] = [
        ("patients", "Who was evaluated", _cohort),
        ("ranking", "Ranking", _ranking),
        ("comparisons", "Comparisons", partial(_comparisons, about_others=about_others)),
        ("groups", "Risk groups", partial(_risk_groups, patients=patients)),
        ("horizons", "At horizons", partial(_horizons, draws=patients is not None)),
        ("calibration", "Calibration", partial(_calibration, draws=patients is not None)),
        ("decision", "Decision curves", partial(_decision_curves, draws=patients is not None)),
        ("segmentation", "Segmentation", _segmentation),
    ]
    return [(name, title, partial(part, evaluation)) for name, title, part in parts]


def _cohort(evaluation: Evaluation) -> Iterator[Block]:
    cohort: CohortFacts = evaluation.cohort
    follow_up, unit = cohort.median_follow_up, cohort.time_unit
    yield Facts(
        [
            ("Endpoint", cohort.endpoint or "not named"),
            ("Patients", f"{cohort.n_patients:,}"),
            ("Events", f"{cohort.n_events:,}"),
            ("Censored", percent(cohort.censored_fraction)),
            (
                "Median follow-up (reverse Kaplan-Meier)",
                str(follow_up.reason) if follow_up.value is None else time(follow_up.value, unit),
            ),
            ("Nothing is estimated from here on", time(cohort.follow_up_limit, unit)),
            ("Left out: predicted, without outcome", str(len(cohort.without_outcome))),
            ("Left out: with outcome, not predicted", str(len(cohort.without_prediction))),
            ("Missing values", missing_values(cohort.missing_values)),
        ]
    )
    if cohort.without_outcome:
        names = listed(cohort.without_outcome)
        yield Notice(f"Left out, since their outcome is not known: {names}.", is_caution=True)
    if cohort.without_prediction:
        names = listed(cohort.without_prediction)
        yield Notice(f"Not evaluated, since they are not predicted: {names}.", is_caution=True)


def _ranking(evaluation: Evaluation) -> Iterator[Block]:
    """Show if patients with an earlier event were given a higher risk."""
    yield Text(
        "Of two patients, did the one with the earlier event get the higher risk? C is the share of comparable "
        "pairs in which that is so: 0.5 is a guess, 1 perfect. In brackets: 95% bootstrap interval."
    )
    yield from (Notice(note, is_caution=True) for note in evaluation.notes)
    uno, reasons = evaluation.uno_c, Reasons()
    scores = {
        "Harrell's C": evaluation.harrell_c,
        f"Uno's C, up to {time(uno.truncation_time, evaluation.cohort.time_unit)}": uno,
    }
    rows = [[name, f"{found.n_pairs:,}", reasons.cell(name, found)] for name, found in scores.items()]
    within_folds = ["All pairs are within folds: C is the folds' mean, weighted by their pairs."]
    yield Table(
        "Concordance of all patients",
        ["", "Comparable pairs", "C [95% interval]"],
        rows,
        reasons.notes(*within_folds if evaluation.folds else ()),
    )
    if evaluation.folds:
        yield _parts_table("Harrell's C by fold", "Fold", evaluation.folds)
    if evaluation.groups:
        column = str(evaluation.group_column)
        yield _parts_table(f"Harrell's C by {column}", column, evaluation.groups)


def _parts_table(caption: str, column: str, parts: Sequence[PartC]) -> Table:
    reasons = Reasons()
    rows = [
        [part.name, str(part.n_patients), str(part.n_events), f"{part.c_index.n_pairs:,}",
         reasons.cell(part.name, part.c_index)]
        for part in parts
    ]  # fmt: skip
    header = [column, "Patients", "Events", "Comparable pairs", "C [95% interval]"]
    return Table(caption, header, rows, reasons.notes())


def _comparisons(evaluation: Evaluation, about_others: Sequence[str]) -> Iterator[Block]:
    """Show the predictions beside others."""
    if not evaluation.comparisons:
        yield Notice(
            "There is nothing to compare the model with: neither masks nor other predictions were given."
        )
        return
    reasons = Reasons()
    rows = [
        [one.name, str(one.n_patients),
         *(reasons.cell(one.name, part) for part in (one.result.second, one.result.first, one.result.difference)),
         p_value(one.result.p_value), p_value(one.p_value_holm)]
        for one in evaluation.comparisons
    ]  # fmt: skip
    yield Table(
        "Harrell's C of other risks and of the model, on the same patients [95% interval]",
        ["Risk by", "Patients", "Other C", "Model's C", "Difference", "P", "P (Holm)"],
        rows,
        reasons.notes(
            "Paired bootstrap; two-sided P, by Holm corrected for the number of comparisons.", *about_others
        ),
    )


def _risk_groups(evaluation: Evaluation, patients: Patients | None) -> Iterator[Block]:
    """Show patients of low and high risk."""
    found, unit = evaluation.risk_groups, evaluation.cohort.time_unit
    if not found.groups:
        yield Notice(sentence(found.reason or "no risk groups"))
        return
    rows = [
        [group.name, str(group.n_patients), str(group.n_events), time(group.median_survival, unit)]
        for group in found.groups
    ]  # fmt: skip
    yield Table("Patients by predicted risk", ["Risk", "Patients", "Events", "Median survival"], rows)
    log_rank = p_value(found.log_rank_p) if found.reason is None else found.reason
    yield Facts(
        [
            ("Groups by", found.source or NONE),
            ("Log-rank P", log_rank),
            ("Hazard ratio, high against low", estimate(found.hazard_ratio, number)),
        ]
    )
    if patients is not None and patients.is_high_risk is not None:
        said = "; ".join(
            f"{row[0]} risk: {row[1]} patients, {row[2]} events, median {row[3]}" for row in rows
        )
        yield picture(
            kaplan_meier_figure(patients.is_high_risk, patients.event, patients.time, unit),
            f"Kaplan-Meier curves of two risk groups. {said}. Log-rank P {p_value(found.log_rank_p)}.",
            "Kaplan-Meier curves of patients of low and high predicted risk, with 95% intervals and numbers at risk.",
        )


def _horizons(evaluation: Evaluation, *, draws: bool) -> Iterator[Block]:
    """Show AUC and Brier score at each horizon."""
    unit, reasons, whole = evaluation.cohort.time_unit, Reasons(), evaluation.integrated_brier

    def of_curves(row: str, brier: BrierScore) -> list[str]:
        reference = three_decimals(brier.kaplan_meier.value)
        return [reasons.cell(row, brier.score), reference, reasons.cell(row, brier.skill)]

    rows = [
        [name, reasons.cell(name, auc), *of_curves(name, brier)]
        for auc, brier in zip(evaluation.auc, evaluation.brier, strict=True)
        for name in [horizon_text(auc.horizon, unit)]
    ]
    name = f"integrated, {significant(whole.start, 6)} to {time(whole.end, unit)}"
    rows.append([name, NONE, *of_curves(name, whole)])
    yield Table(
        "At clinical horizons [95% interval]",
        ["Within", "AUC", "Brier score", "Brier, Kaplan-Meier", "Skill"],
        rows,
        reasons.notes(
            "AUC: who has the event by then against who lives on without it, 0.5 is a guess. Brier score: squared "
            "error of the predicted probability, lower is better; skill above 0 is better than one Kaplan-Meier "
            "curve for everybody."
        ),
    )
    known = [auc for auc in evaluation.auc if auc.value is not None]
    if draws and len(known) > 1:
        said = "; ".join(
            f"{horizon_text(a.horizon, unit)}: {with_interval(a.value, a.interval)}" for a in known
        )
        yield picture(
            auc_figure(known, unit),
            f"AUC by horizon. {said}.",
            "AUC at each horizon with its 95% interval.",
        )


def _calibration(evaluation: Evaluation, *, draws: bool) -> Iterator[Block]:
    """Compare predicted with observed numbers of events."""
    unit, reasons = evaluation.cohort.time_unit, Reasons()
    rows = [
        [name, NONE if one.predicted is None else percent(one.predicted),
         reasons.cell(name, one.observed, percent), reasons.cell(name, one.observed_to_predicted, number)]
        for one in evaluation.calibration for name in [horizon_text(one.horizon, unit)]
    ]  # fmt: skip
    yield Table(
        "Predicted and observed risk of the event [95% interval]",
        ["Within", "Mean predicted", "Observed (1 - Kaplan-Meier)", "Observed to predicted"],
        rows,
        reasons.notes("Above 1: events are more frequent than predicted."),
    )
    test = evaluation.d_calibration
    yield Text(
        f"D-calibration: {test.reason or f'P {p_value(test.p_value)}; a small P says that the curves do not hold'}."
    )
    drawn = [one for one in evaluation.calibration if one.groups]
    if draws and drawn:
        said = "; ".join(
            f"{horizon_text(one.horizon, unit)}: "
            + ", ".join(
                f"predicted {percent(g.predicted)}, observed "
                f"{with_interval(g.observed.value, g.observed.interval, percent)}"
                for g in one.groups
            )
            for one in drawn
        )
        yield picture(
            calibration_figure(drawn, unit),
            f"Observed against predicted risk in groups of patients. {said}.",
            "Observed against predicted risk, in groups of patients of similar risk. On the dotted line both agree.",
        )


def _decision_curves(evaluation: Evaluation, *, draws: bool) -> Iterator[Picture]:
    """Show the net benefit of treating by the prediction."""
    unit = evaluation.cohort.time_unit
    drawn = [curve for curve in evaluation.decision_curves if curve.thresholds]
    if draws and drawn:
        best = "; ".join(f"{horizon_text(curve.horizon, unit)}: {_useful_range(curve)}" for curve in drawn)
        yield picture(
            decision_curve_figure(drawn, unit),
            f"Decision curves by horizon. {best}.",
            "Net benefit of treating by the prediction: useful where the solid line is above both others.",
        )


def _useful_range(curve: DecisionCurve) -> str:
    better = [
        threshold
        for threshold, own, everybody in zip(
            curve.thresholds, curve.net_benefit, curve.treat_all, strict=True
        )
        if own is not None and own > max(everybody, 0)
    ]
    if not better:
        return "at no threshold better than treating all or none"
    return f"better than treating all or none at thresholds between {percent(better[0])} and {percent(better[-1])}"


def _segmentation(evaluation: Evaluation) -> Iterator[Table]:
    if evaluation.segmentation:
        yield segmentation_table(evaluation.segmentation)


def segmentation_table(labels: Sequence[LabelDice]) -> Table:
    """Show Dice and detection of lesions, a row a label."""
    reasons = Reasons()
    rows = [
        [row.label, str(row.n_cases), reasons.cell(row.label, Estimate(row.mean, reason=row.reason)),
         three_decimals(row.aggregated), *_lesions(row.lesions)]
        for row in labels
    ]  # fmt: skip
    header = [
        "Label", "Cases with it", "Dice, mean over cases", "Dice, all cases as one",
        "Lesions found, missed, false", "F1 of lesions, all cases",
    ]  # fmt: skip
    notes = [
        "Lesions are parts of a mask that do not touch. One is found if it shares more than "
        f"{percent(LEAST_OVERLAP)} of the union with a predicted one."
    ]
    if {"GTVp", "GTVn"} <= {row.label for row in labels}:
        notes.append(_HECKTOR)
    return Table("", header, rows, reasons.notes(*notes))


def _lesions(found: LesionDetection | None) -> list[str]:
    if found is None:
        return [NONE, NONE]
    return [f"{found.n_found}, {found.n_missed}, {found.n_false}", three_decimals(found.f1)]
