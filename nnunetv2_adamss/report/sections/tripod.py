"""The items of TRIPOD+AI as far as files can fill them in; the rest is the authors' to say.

Collins et al., TRIPOD+AI statement, BMJ 2024;385:e078378. Topics in our own words.
"""

from collections.abc import Callable, Iterator

from nnunetv2_adamss.display.blocks import Block, Notice, Table
from nnunetv2_adamss.display.words import count, joined, missing_values
from nnunetv2_adamss.report.model_data import is_synthetic
from nnunetv2_adamss.report.sections.cohort import follow_up_words
from nnunetv2_adamss.survival.cohort.cohort_summary import summarise_cohort
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation

AUTHORS = "To be filled in by the authors."
Fact = Callable[[CrossValidation], str]


def checklist(source: CrossValidation) -> Iterator[Block]:
    """One row an item; a fact that cannot be had is the authors' too."""
    rows = [[number, topic, _fact(fact, source)] for number, topic, fact in _ITEMS]
    n_filled = sum(row[2] != AUTHORS for row in rows)
    if is_synthetic(source):
        yield Notice(
            "The data are synthetic, so the checklist only shows what it would hold.", is_caution=True
        )
    yield Table(
        f"TRIPOD+AI: {n_filled} of {len(rows)} items filled in from files",
        ["Item", "Topic", "What the files say"],
        rows,
        ["A fact here is not yet a sentence of a paper: check each before it is printed."],
        n_names=2,
        is_prose=True,
    )


def _fact(fact: Fact | None, source: CrossValidation) -> str:
    if fact is None:
        return AUTHORS
    try:
        return fact(source)
    except (ValueError, OSError, KeyError):
        return AUTHORS


def _title(source: CrossValidation) -> str:
    return (
        "Development of a discrete-time survival network on images and covariates, judged by cross-validation; "
        f"outcome: {source.table.description.endpoint or 'not named in survival.json'}."
    )


def _preparation(source: CrossValidation) -> str:
    return (
        f"nnU-Net's plan {source.plans_name}, {source.configuration}: resampling and normalisation as listed under "
        "Model, the same for all patients."
    )


def _outcome(source: CrossValidation) -> str:
    described = source.table.description
    return (
        f"{described.endpoint or 'Endpoint not named in survival.json'}, time in {described.time_unit}; curves end "
        "at the last interval edge of each fold."
    )


def _predictors(source: CrossValidation) -> str:
    channels = joined(channel_names(source.dataset_json))
    columns = joined([str(name) for name in source.table.clinical])
    return f"Images: {channels}. Clinical columns offered: {columns}. What each fold chose stands under Covariates."


def _sample_size(source: CrossValidation) -> str:
    summary = summarise_cohort(source.table)
    return (
        f"{count(summary.n_patients, 'patient')} and {count(summary.n_events, 'event')} were available; why as "
        "many is the authors' to say."
    )


def _missing(source: CrossValidation) -> str:
    summary = summarise_cohort(source.table)
    return (
        f"Patients without an outcome (left out of Stage II): {summary.n_without_outcome}. Missing values: "
        f"{missing_values(summary.missing)}. Imputed from the training patients of each fold."
    )


def _partition(source: CrossValidation) -> str:
    return (
        f"{count(len(source.folds), 'fold')} of nnU-Net's split; scaling, imputation, selection and interval edges "
        "fitted on the training patients of each fold alone."
    )


def _model(source: CrossValidation) -> str:
    settings = source.folds[0].summary["settings"]
    return (
        f"{settings['seg_trainer']}, then {source.trainer}; {settings['n_intervals']} time intervals "
        f"({settings['interval_rule']}), epoch: {settings['select']}, seed {settings['seed']}."
    )


def _clusters(source: CrossValidation) -> str:
    column = source.table.description.group_column
    return (
        f"Groups by {column}; results by group stand under Cohort and Discrimination."
        if column
        else "No group column, such as the centre, is named in survival.json."
    )


def _measures(source: CrossValidation) -> str:
    return (
        "Harrell's C with 95% bootstrap interval and comparable pairs, and what stands under Discrimination and "
        "calibration; Dice for the masks."
    )


def _balance(source: CrossValidation) -> str:
    return (
        "Batches are half events, half censored patients, which bends probabilities; whether they were calibrated "
        "is said with the results."
    )


def _output(source: CrossValidation) -> str:
    return (
        "A survival curve, a risk score (higher: earlier event) and a restricted mean time for each patient."
    )


def _flow(source: CrossValidation) -> str:
    summary = summarise_cohort(source.table)
    return f"See Cohort. Median follow-up: {follow_up_words(summary)}."


def _characteristics(source: CrossValidation) -> str:
    return "See Cohort: clinical columns and missing values, by group where there is one."


def _analysed(source: CrossValidation) -> str:
    return "; ".join(
        f"{fold.name}: " + ", ".join(
            f"{part} {c['cases']} ({count(c['events'], 'event')})"
            for part, c in fold.summary["cases"].items() if c["cases"]
        )
        for fold in source.folds
    ) + "."  # fmt: skip


def _specification(source: CrossValidation) -> str:
    return f"Checkpoints of each fold in {source.model_folder}, with all that prediction needs."


def _performance(source: CrossValidation) -> str:
    return "See Discrimination and calibration."


def _code(source: CrossValidation) -> str:
    versions = source.folds[0].summary["versions"]
    return "Open source (Apache-2.0): " + ", ".join(f"{name} {v}" for name, v in versions.items()) + "."


_ITEMS: list[tuple[str, str, Fact | None]] = [
    ("1", "Title: development or evaluation, population, outcome", _title),
    ("2", "Abstract", None),
    ("3a", "Background: health-care context", None),
    ("3b", "Background: target population and intended use", None),
    ("3c", "Background: known health inequalities", None),
    ("4", "Objectives", None),
    ("5a", "Source of the data", None),
    ("5b", "Dates of enrolment and of the end of follow-up", None),
    ("6a", "Setting: number and location of centres", None),
    ("6b", "Eligibility of patients", None),
    ("6c", "Treatments", None),
    ("7", "Preparation of the data", _preparation),
    ("8a", "Outcome and time horizon", _outcome),
    ("8b", "Who assessed the outcome", None),
    ("8c", "Blinding of the outcome's assessment", None),
    ("9a", "Choice of predictors before the model", None),
    ("9b", "Predictors: definition and measurement", _predictors),
    ("9c", "Who assessed subjective predictors", None),
    ("10", "Sample size", _sample_size),
    ("11", "Missing data", _missing),
    ("12a", "Partition of the data", _partition),
    ("12b", "Handling of predictors", _partition),
    ("12c", "Type and building of the model, internal validation", _model),
    ("12d", "Heterogeneity between clusters", _clusters),
    ("12e", "Measures of performance", _measures),
    ("12f", "Updating of the model", None),
    ("12g", "How predictions were calculated at evaluation", _specification),
    ("13", "Class imbalance", _balance),
    ("14", "Fairness", None),
    ("15", "Output of the model", _output),
    ("16", "Differences between development and evaluation data", None),
    ("17", "Ethical approval and consent", None),
    ("18a", "Funding", None),
    ("18b", "Conflicts of interest", None),
    ("18c", "Protocol", None),
    ("18d", "Registration", None),
    ("18e", "Availability of the data", None),
    ("18f", "Availability of the code", _code),
    ("19", "Patient and public involvement", None),
    ("20a", "Flow of participants and follow-up", _flow),
    ("20b", "Characteristics of participants", _characteristics),
    ("20c", "Comparison of development and evaluation data", None),
    ("21", "Participants and events in each analysis", _analysed),
    ("22", "Full model, ready for others to use", _specification),
    ("23a", "Performance with confidence intervals", _performance),
    ("23b", "Heterogeneity of performance between clusters", _clusters),
    ("24", "Results of model updating", None),
    ("25", "Interpretation", None),
    ("26", "Limitations", None),
    ("27a", "Use: how poor or missing input is handled", None),
    ("27b", "Use: interaction and expertise needed", None),
    ("27c", "Next steps and generalisability", None),
]
