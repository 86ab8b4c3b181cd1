"""The table of contents of the report."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from nnunetv2_adamss.common.progress import Progress, silent
from nnunetv2_adamss.report.blocks import Block, Facts, Notice, Section, Text
from nnunetv2_adamss.report.build import section
from nnunetv2_adamss.report.model_data import is_synthetic
from nnunetv2_adamss.report.out_of_fold import OutOfFold
from nnunetv2_adamss.report.page import write_page
from nnunetv2_adamss.report.sections import cohort, covariates, provenance, stage_one_dice, training
from nnunetv2_adamss.report.sections.benchmark import comparison_of_methods
from nnunetv2_adamss.report.sections.discrimination import headlines, subsections
from nnunetv2_adamss.report.sections.explanation import explanations
from nnunetv2_adamss.report.sections.new_patients import NewPatients, overview, prediction_facts
from nnunetv2_adamss.report.sections.patients import patient_pages
from nnunetv2_adamss.report.sections.tripod import checklist
from nnunetv2_adamss.report.sections.validation_patients import validation_background, validation_patients
from nnunetv2_adamss.report.words import count, number
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation

REPORT_FILE = "report.html"
DEFAULT_VALIDATION_PATIENTS = 20


def write_report(
    source: CrossValidation,
    file: Path,
    new: NewPatients | None = None,
    n_patients: int | None = None,
    progress: Progress = silent,
    *,
    benchmark: Path | None = None,
) -> None:
    """Write all that is known of a trained survival model into one HTML file.

    Args:
        source: the model.
        file: to write.
        new: patients that it predicted, whose pages take the place of validation patients.
        n_patients: with pages of their own, at most; default 20 of the validation patients, and all new ones.
        progress: told what is worked through.
        benchmark: folder of ``adamss_benchmark``, whose tables are shown.
    """
    out_of_fold = OutOfFold(source, progress)
    write_page(
        file,
        f"Survival from images: {source.dataset}",
        f"{source.trainer}, {source.configuration}, {count(len(source.folds), 'fold')}",
        list(_first_of_all(source)),
        [
            section("glance", "The model at a glance", [partial(_glance, out_of_fold)]),
            *([] if new is None else _about_new_patients(source, new, n_patients, progress)),
            *_about_the_model(source, out_of_fold, benchmark),
            *([] if new is not None else [_validation_pages(out_of_fold, n_patients, progress)]),
        ],
    )


def _about_the_model(
    source: CrossValidation, out_of_fold: OutOfFold, benchmark: Path | None
) -> list[Section]:
    def part(identifier: str, title: str, *parts: Callable[[CrossValidation], Iterator[Block]]) -> Section:
        return section(identifier, title, [partial(one, source) for one in parts])

    return [
        part("cohort", "Cohort", cohort.patient_flow, cohort.cohort_facts, cohort.fold_table, cohort.by_centre,
             cohort.characteristics),
        section("results", "Discrimination and calibration", [partial(_cross_validation, out_of_fold)]),
        *([] if benchmark is None else [
            part("comparison", "Comparison of methods", partial(comparison_of_methods, folder=benchmark))
        ]),
        part("segmentation", "Segmentation", stage_one_dice.dice_of_labels),
        part("covariates", "Covariates", covariates.inputs_of_folds, covariates.hazard_ratios,
             covariates.selected_features),
        part("explanation", "What the network looked at", explanations),
        part("training", "Training", training.stage_one_curves, training.stage_two_curves),
        part("model", "Model and provenance", provenance.model_facts, provenance.plan_facts,
             provenance.settings_table, provenance.interval_edges, provenance.software, provenance.files),
        part("tripod", "TRIPOD+AI", checklist),
    ]  # fmt: skip


def _first_of_all(source: CrossValidation) -> Iterator[Notice]:
    if is_synthetic(source):
        yield Notice(
            "The data are synthetic: images and outcomes were made by a computer. Nothing here says anything "
            "about patients.",
            is_caution=True,
        )
    absent = source.numbers_of_absent_folds
    if absent:
        yield Notice(
            f"This report is about {count(len(source.folds), 'fold')} of {len(source.splits)}; not in it: "
            f"{', '.join(map(str, absent))}.",
            is_caution=True,
        )


def _glance(out_of_fold: OutOfFold) -> Iterator[Block]:
    dice = stage_one_dice.mean_dice(out_of_fold.source)
    yield Facts(
        [
            *headlines(out_of_fold.evaluation),
            *((f"mean Dice, {label}", number(value)) for label, value in dice.items()),
        ],
        are_headlines=True,
    )
    yield Text(
        "Each patient was predicted by a network that was not trained on that patient. That says how the method "
        "does on patients like these, not how one network does elsewhere."
    )


def _cross_validation(out_of_fold: OutOfFold) -> Iterator[Block]:
    evaluation, patients = out_of_fold.evaluation, out_of_fold.patients
    flattered = [fold.name for fold in out_of_fold.folds if fold.epoch_was_chosen_here]
    if flattered:
        yield Notice(
            f"Optimistic: the epoch of {', '.join(flattered)} was chosen on the patients that are judged here.",
            is_caution=True,
        )
    if out_of_fold.calibration is None:
        yield Notice(
            f"The curves are uncalibrated: {out_of_fold.why_uncalibrated}. Ranking is not touched by that; "
            "everything about probabilities is.",
            is_caution=True,
        )
    else:
        yield Notice(
            "The curves are calibrated, on the outcomes of these same patients, so their calibration looks better "
            "here than it will elsewhere.",
            is_caution=True,
        )
    yield from subsections(evaluation, patients, "results")


def _validation_pages(out_of_fold: OutOfFold, n_patients: int | None, progress: Progress) -> Section:
    n_most = DEFAULT_VALIDATION_PATIENTS if n_patients is None else n_patients

    def pages() -> Iterator[Block]:
        patients = validation_patients(out_of_fold, n_most)
        n_all = len(out_of_fold.patients.case_ids)
        yield Text(
            f"{len(patients)} of {count(n_all, 'validation patient')}, evenly from the highest to the lowest rank "
            "of risk in their folds; `--max_patients` shows more."
        )
        yield from patient_pages(patients, validation_background(out_of_fold), progress)

    return section("patients", "Patients", [pages], begins_page=True)


def _about_new_patients(
    source: CrossValidation, new: NewPatients, n_patients: int | None, progress: Progress
) -> list[Section]:
    def pages() -> Iterator[Block]:
        patients = new.pages()
        yield from overview(new, patients)
        if n_patients is not None and n_patients < len(patients):
            yield Text(
                f"{n_patients} of {len(patients)} patients, those of the highest risk, have a page below."
            )
        yield from patient_pages(patients[:n_patients], new.background(source), progress)

    def evaluation() -> Iterator[Block]:
        yield Facts(headlines(new.evaluation), are_headlines=True)
        yield from subsections(new.evaluation, new.patients, "new")

    evaluated = [] if new.survival_csv is None else [
        section("new-results", "Results in the new patients", [evaluation])
    ]  # fmt: skip
    return [section("patients", "New patients", [partial(prediction_facts, new), pages]), *evaluated]
