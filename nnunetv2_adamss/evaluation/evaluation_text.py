"""The results as tables for people, in Markdown."""

from collections.abc import Iterable, Sequence

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.evaluation.evaluation import CohortFacts, Evaluation
from nnunetv2_adamss.evaluation.figures import horizon_text, p_text
from nnunetv2_adamss.metrics.brier import BrierScore
from nnunetv2_adamss.metrics.calibration_at_horizon import Calibration
from nnunetv2_adamss.metrics.estimate import Estimate


def markdown(evaluation: Evaluation) -> str:
    """All results but the curves."""
    parts = [
        ["# Evaluation of survival predictions"],
        _cohort(evaluation.cohort),
        _ranking(evaluation),
        _horizons(evaluation),
        _risk_groups(evaluation),
        _comparisons(evaluation),
        _segmentation(evaluation),
        _notes(evaluation.notes),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def estimate_text(estimate: Estimate, digits: int = 3) -> str:
    """A number with its interval, or why there is none."""
    if estimate.value is None:
        return estimate.reason or "none"
    interval = ""
    if estimate.interval:
        interval = f" [{estimate.interval[0]:.{digits}f}, {estimate.interval[1]:.{digits}f}]"
    return f"{estimate.value:.{digits}f}{interval}" + (f" ({estimate.reason})" if estimate.reason else "")


def _cohort(cohort: CohortFacts) -> list[str]:
    follow_up, unit = cohort.median_follow_up, cohort.time_unit
    rows = [
        ("endpoint", cohort.endpoint or "not named"),
        ("patients", str(cohort.n_patients)),
        ("events", str(cohort.n_events)),
        ("censored", f"{cohort.censored_fraction:.0%}"),
        (
            "median follow-up (reverse Kaplan-Meier)",
            str(follow_up.reason) if follow_up.value is None else f"{follow_up.value:g} {unit}",
        ),
        ("nothing is estimated from here on", f"{cohort.follow_up_limit:g} {unit}"),
        ("left out: predicted, without outcome", _counted(cohort.without_outcome)),
        ("left out: with outcome, not predicted", _counted(cohort.without_prediction)),
        ("missing values", _missing(cohort)),
    ]
    return _table(("cohort", ""), rows)


def _counted(case_ids: Sequence[str]) -> str:
    return f"{len(case_ids)}: {listed(case_ids)}" if case_ids else "0"


def _missing(cohort: CohortFacts) -> str:
    counts = [f"{name} {count}" for name, count in cohort.missing_values.items() if count]
    return ", ".join(counts) or "none"


def _ranking(evaluation: Evaluation) -> list[str]:
    uno, unit = evaluation.uno_c, evaluation.cohort.time_unit
    rows = [
        ("Harrell's C", estimate_text(evaluation.harrell_c), evaluation.harrell_c.n_pairs),
        (f"Uno's C up to {uno.truncation_time:g} {unit}", estimate_text(uno), uno.n_pairs),
    ]
    parts = [*evaluation.folds, *evaluation.groups]
    heads = [f"fold {part.name}" for part in evaluation.folds]
    heads += [f"{evaluation.group_column} {part.name}" for part in evaluation.groups]
    rows += [
        (
            f"Harrell's C, {head} ({part.n_patients} patients, {part.n_events} events)",
            estimate_text(part.c_index),
            part.c_index.n_pairs,
        )
        for head, part in zip(heads, parts, strict=True)
    ]
    lines = ["## Ranking", "", *_table(("", "C [95% interval]", "comparable pairs"), rows)]
    if evaluation.folds:
        lines += [
            "",
            "The first two are over all pairs within folds: the folds' mean, weighted by their pairs.",
        ]
    return lines


def _horizons(evaluation: Evaluation) -> list[str]:
    unit = evaluation.cohort.time_unit
    rows = [
        (horizon_text(auc.horizon, unit), estimate_text(auc), *_of_curves(brier, found))
        for auc, brier, found in zip(evaluation.auc, evaluation.brier, evaluation.calibration, strict=True)
    ]
    heads = ("horizon", "AUC", "Brier score", "skill against Kaplan-Meier", "observed to predicted events")
    return ["## Horizons", "", *_table(heads, rows), "", *_whole_curves(evaluation)]


def _of_curves(brier: BrierScore, found: Calibration) -> tuple[str, str, str]:
    """What stands in a row; a reason why there is nothing stands there once."""
    if brier.score.value is None:
        return estimate_text(brier.score), "", ""
    return (
        estimate_text(brier.score),
        estimate_text(brier.skill),
        estimate_text(found.observed_to_predicted, 2),
    )


def _whole_curves(evaluation: Evaluation) -> list[str]:
    brier, test, unit = evaluation.integrated_brier, evaluation.d_calibration, evaluation.cohort.time_unit
    integrated = estimate_text(brier.score)
    if brier.score.value is not None:
        integrated = (
            f"{integrated} from {brier.start:g} to {brier.end:g} {unit}, "
            f"skill against Kaplan-Meier {estimate_text(brier.skill)}"
        )
    p_value = (
        "" if test.p_value is None else f"P {p_text(test.p_value)}, small where the curves are not calibrated"
    )
    return [f"- Integrated Brier score: {integrated}.", f"- D-calibration: {p_value or test.reason}."]


def _risk_groups(evaluation: Evaluation) -> list[str]:
    found, unit = evaluation.risk_groups, evaluation.cohort.time_unit
    if not found.groups:
        return ["## Risk groups", "", f"{_sentence(found.reason)}"]
    rows = [
        (
            group.name,
            group.n_patients,
            group.n_events,
            "not reached" if group.median_survival is None else f"{group.median_survival:g} {unit}",
        )
        for group in found.groups
    ]
    test = found.reason if found.log_rank_p is None else f"P {p_text(found.log_rank_p)}"
    return [
        "## Risk groups",
        "",
        *_table(("risk", "patients", "events", "median survival"), rows),
        "",
        f"Groups by {found.source}. Log-rank test: {test}. Hazard ratio of high against low risk: "
        f"{estimate_text(found.hazard_ratio, 2)}.",
    ]


def _comparisons(evaluation: Evaluation) -> list[str]:
    if not evaluation.comparisons:
        return []
    rows = [
        (
            row.name,
            row.n_patients,
            estimate_text(row.result.second),
            estimate_text(row.result.first),
            estimate_text(row.result.difference),
            "none" if row.result.p_value is None else p_text(row.result.p_value),
            "none" if row.p_value_holm is None else p_text(row.p_value_holm),
        )
        for row in evaluation.comparisons
    ]
    heads = ("compared with", "patients", "its C", "C of the predictions", "difference", "P", "P (Holm)")
    return ["## Comparisons", "", *_table(heads, rows)]


def _segmentation(evaluation: Evaluation) -> list[str]:
    if not evaluation.segmentation:
        return []
    rows = [
        (
            row.label,
            row.n_cases,
            row.reason if row.mean is None else f"{row.mean:.3f}",
            "" if row.aggregated is None else f"{row.aggregated:.3f}",
        )
        for row in evaluation.segmentation
    ]
    heads = ("label", "cases with it", "Dice, mean over cases", "Dice, all cases as one")
    return ["## Segmentation", "", *_table(heads, rows)]


def _notes(notes: Sequence[str]) -> list[str]:
    return ["## To bear in mind", "", *(f"- {note}" for note in notes)] if notes else []


def _sentence(text: str | None) -> str:
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(str(cell).replace('|', '/') for cell in line)} |" for line in lines]
