"""The 52 sub-items of TRIPOD+AI, filled in from files if possible; the rest is left to the authors.

Collins et al., TRIPOD+AI statement, BMJ 2024;385:e078378: its numbers, and its topics in our own words. D: a study that
develops a model reports it; E: one that evaluates a model does.
"""

from collections.abc import Callable, Iterator

from nnunetv2_adamss.display.blocks import Block, Notice, Table
from nnunetv2_adamss.display.words import count, joined, missing_values
from nnunetv2_adamss.report.model_data import is_synthetic
from nnunetv2_adamss.report.sections.cohort import follow_up_words
from nnunetv2_adamss.report.sections.provenance import interval_words
from nnunetv2_adamss.survival.cohort.cohort_summary import summarise_cohort
from nnunetv2_adamss.survival.covariates.covariate_results import HAZARD_RATIOS_FILE
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation

AUTHORS = "To be filled in by the authors."
Fact = Callable[[CrossValidation], str]


def checklist(source: CrossValidation) -> Iterator[Block]:
    """Show one row an item; facts that are not available are left to the authors."""
    rows = [[number, topic, study, _fact(fact, source)] for number, topic, study, fact in _ITEMS]
    n_filled = sum(row[-1] != AUTHORS for row in rows)
    if is_synthetic(source):
        yield Notice(
            "The data are synthetic, so the checklist only shows what it would hold.", is_caution=True
        )
    yield Table(
        f"TRIPOD+AI: {n_filled} of {len(rows)} items filled in from files",
        ["Item", "Topic", "Study", "What the files say"],
        rows,
        [
            "D: for a study that develops a model; E: for one that evaluates a model on other data. A fact here is not "
            "yet a sentence of a paper: check each before it is printed."
        ],
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
    inputs = "images and covariates" if _covariates(source) else "images"
    evaluated = "not evaluated" if _has_no_validation(source) else "evaluated by cross-validation"
    endpoint = source.table.description.endpoint or "not named in survival.json"
    return f"Development of a survival network on {inputs}, {evaluated}; outcome: {endpoint}."


def _has_no_validation(source: CrossValidation) -> bool:
    return source.folds[0].number == "all"


def _preparation(source: CrossValidation) -> str:
    return (
        f"nnU-Net's plan {source.plans_name}, {source.configuration}: resampling and normalisation as listed under "
        "Model, the same for all patients."
    )


def _outcome(source: CrossValidation) -> str:
    described = source.table.description
    if not described.endpoint:
        return AUTHORS
    return f"{described.endpoint}, time in {described.time_unit}; curves end at the last interval edge of each fold."


def _predictors(source: CrossValidation) -> str:
    channels, covariates = joined(channel_names(source.dataset_json)), _covariates(source)
    offered = f"Offered beside them: {'; '.join(covariates)}. What each fold chose stands under Covariates."
    return f"Images: {channels}. {offered if covariates else 'Nothing else.'}"


def _covariates(source: CrossValidation) -> list[str]:
    """Describe what the networks could choose from beside the images."""
    found = []
    if source.files(HAZARD_RATIOS_FILE):
        group_column = source.table.description.group_column
        columns = [str(name) for name in source.table.clinical if name != group_column]
        found.append(f"clinical columns {joined(columns)}")
    files = source.folds[0].summary.get("sources_sha256", {})
    found += [name for name in files if name.startswith(("radiomics ", "features "))]
    return found


def _setting(source: CrossValidation) -> str:
    column = source.table.description.group_column
    if column is None:
        return AUTHORS
    return f"Values of {column}: {source.table.groups(column).nunique()}; patients and events of each under Cohort."


def _choice(source: CrossValidation) -> str:
    if not _covariates(source):
        return "No predictors beside the images, so none were chosen."
    settings = source.folds[0].summary["settings"]
    return (
        f"Selection of clinical columns: {settings['clinical_selection']}; of features: "
        f"{settings['feature_selection']}; on the training patients of each fold. Why these were measured is the "
        "authors' to say."
    )


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
    if _has_no_validation(source):
        return "All patients train one model (fold all), so none is left to evaluate it."
    n_patients = sum(fold.summary["cases"]["validation"]["cases"] for fold in source.folds)
    return (
        f"{count(len(source.folds), 'fold')} of {len(source.splits)} of nnU-Net's split: each of "
        f"{count(n_patients, 'patient')} is predicted by a fold that was not trained on that patient. Numbers under "
        "item 21."
    )


def _handling(source: CrossValidation) -> str:
    return (
        "Numbers are standardised, categories become indicators, and missing values are imputed, all as fitted on the "
        f"training patients of each fold. Time is divided into intervals: {interval_words(source)}."
    )


def _model(source: CrossValidation) -> str:
    settings = source.folds[0].summary["settings"]
    numbers = sorted({len(fold.summary["interval_edges"]) - 1 for fold in source.folds})
    return (
        f"{settings['seg_trainer']}, then {source.trainer}; {' or '.join(map(str, numbers))} time intervals, epoch: "
        f"{settings['select']}, seed {settings['seed']}."
    )


def _clusters(source: CrossValidation) -> str:
    column = source.table.description.group_column
    return (
        f"Groups by {column}; results by group stand under Cohort and Discrimination." if column else AUTHORS
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
        "A survival curve, a risk score (higher: earlier event) and a restricted mean time for each patient; of a "
        "calibrated model also a risk group, divided at the median risk of the validation patients."
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


def _calculation(source: CrossValidation) -> str:
    if _has_no_validation(source):
        return AUTHORS
    settings = source.folds[0].summary["settings"]
    epochs = joined(sorted({f"the {fold.summary['predictions_from']} epoch" for fold in source.folds}))
    return (
        f"Each patient by the fold that was not trained on that patient, weights of {epochs}, region around the mask "
        f"({settings['mask_source']}); whether curves were calibrated is said with the results."
    )


def _specification(source: CrossValidation) -> str:
    return f"Checkpoints of each fold in {source.model_folder}, with all that prediction needs."


def _poor_input(source: CrossValidation) -> str:
    return (
        "Missing covariates are imputed as in training and named in the patient's warnings. A patient whose images are "
        "missing, damaged or on different grids is not predicted, and the reason is given."
    )


def _performance(source: CrossValidation) -> str:
    return AUTHORS if _has_no_validation(source) else "See Discrimination and calibration."


def _code(source: CrossValidation) -> str:
    versions = source.folds[0].summary["versions"]
    return "Open source (Apache-2.0): " + ", ".join(f"{name} {v}" for name, v in versions.items()) + "."


_ITEMS: list[tuple[str, str, str, Fact | None]] = [
    ("1", "Title: development or evaluation, population, outcome", "D;E", _title),
    ("2", "Abstract", "D;E", None),
    ("3a", "Background: health-care context", "D;E", None),
    ("3b", "Background: target population and intended use", "D;E", None),
    ("3c", "Background: known health inequalities", "D;E", None),
    ("4", "Objectives", "D;E", None),
    ("5a", "Source of the data", "D;E", None),
    ("5b", "Dates of enrolment and of the end of follow-up", "D;E", None),
    ("6a", "Setting: number and location of centres", "D;E", _setting),
    ("6b", "Eligibility of patients", "D;E", None),
    ("6c", "Treatments", "D;E", None),
    ("7", "Preparation of the data", "D;E", _preparation),
    ("8a", "Outcome and time horizon", "D;E", _outcome),
    ("8b", "Who assessed the outcome", "D;E", None),
    ("8c", "Blinding of the outcome's assessment", "D;E", None),
    ("9a", "Choice of predictors before the model", "D", _choice),
    ("9b", "Predictors: definition and measurement", "D;E", _predictors),
    ("9c", "Who assessed subjective predictors", "D;E", None),
    ("10", "Sample size", "D;E", _sample_size),
    ("11", "Missing data", "D;E", _missing),
    ("12a", "Partition of the data", "D", _partition),
    ("12b", "Handling of predictors", "D", _handling),
    ("12c", "Type and building of the model, internal validation", "D", _model),
    ("12d", "Heterogeneity between clusters", "D;E", _clusters),
    ("12e", "Measures of performance", "D;E", _measures),
    ("12f", "Updating of the model", "E", None),
    ("12g", "How predictions were calculated at evaluation", "E", _calculation),
    ("13", "Class imbalance", "D;E", _balance),
    ("14", "Fairness", "D;E", None),
    ("15", "Output of the model", "D", _output),
    ("16", "Differences between development and evaluation data", "D;E", None),
    ("17", "Ethical approval and consent", "D;E", None),
    ("18a", "Funding", "D;E", None),
    ("18b", "Conflicts of interest", "D;E", None),
    ("18c", "Protocol", "D;E", None),
    ("18d", "Registration", "D;E", None),
    ("18e", "Availability of the data", "D;E", None),
    ("18f", "Availability of the code", "D;E", _code),
    ("19", "Patient and public involvement", "D;E", None),
    ("20a", "Flow of participants and follow-up", "D;E", _flow),
    ("20b", "Characteristics of participants", "D;E", _characteristics),
    ("20c", "Comparison of development and evaluation data", "E", None),
    ("21", "Participants and events in each analysis", "D;E", _analysed),
    ("22", "Full model, ready for others to use", "D", _specification),
    ("23a", "Performance with confidence intervals", "D;E", _performance),
    ("23b", "Heterogeneity of performance between clusters", "D;E", _clusters),
    ("24", "Results of model updating", "E", None),
    ("25", "Interpretation", "D;E", None),
    ("26", "Limitations", "D;E", None),
    ("27a", "Use: how poor or missing input is handled", "D", _poor_input),
    ("27b", "Use: interaction and expertise needed", "D", None),
    ("27c", "Next steps and generalisability", "D;E", None),
]
