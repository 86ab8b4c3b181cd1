"""Write the report: its table of contents in code."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from nnunetv2_adamss.common.progress import Progress, silent
from nnunetv2_adamss.display.blocks import Block, Notice, Section, Text
from nnunetv2_adamss.display.html import write_page
from nnunetv2_adamss.display.parts import Part, section
from nnunetv2_adamss.display.words import count
from nnunetv2_adamss.report.model_data import is_synthetic
from nnunetv2_adamss.report.out_of_fold import OutOfFold
from nnunetv2_adamss.report.patient_pdfs import write_patient_pdfs
from nnunetv2_adamss.report.predicted_patients import NewPatients
from nnunetv2_adamss.report.sections import cohort, covariates, provenance, results, stage_one_dice, training
from nnunetv2_adamss.report.sections.benchmark import comparison_of_methods
from nnunetv2_adamss.report.sections.explanation import explanations
from nnunetv2_adamss.report.sections.new_patients import overview, prediction_facts
from nnunetv2_adamss.report.sections.patients import patient_pages
from nnunetv2_adamss.report.sections.tripod import checklist
from nnunetv2_adamss.report.sections.validation_patients import validation_background, validation_patients
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
    pdf_folder: Path | None = None,
) -> None:
    """Write a report on a trained survival model as one HTML file.

    Args:
        source: the model.
        file: to write.
        new: patients that it predicted, whose pages take the place of validation patients.
        n_patients: largest number of patients with a page; default 20 of the validation patients, and all new ones.
        progress: shows what is being made.
        benchmark: folder of ``adamss_benchmark``, whose tables are shown.
        pdf_folder: gets a PDF of each patient's page, or None.

    Raises:
        ValueError: if no PDF can be printed; the HTML file is written nevertheless.
    """
    out_of_fold = OutOfFold(source, progress)

    def model(*parts: Callable[[CrossValidation], Iterable[Block]]) -> list[Part]:
        return [partial(part, source) for part in parts]

    of_new, compared, of_validation = [], [], []
    if new is not None:
        pages = partial(_new_pages, out_of_fold, new, n_patients, progress)
        facts = partial(prediction_facts, source, new)
        of_new = [section("patients", "New patients", [facts, partial(overview, new), pages])]
        if new.survival_csv is not None:
            in_new = partial(results.in_new_patients, new)
            of_new.append(section("new-results", "Results in the new patients", [in_new]))
    else:
        pages = partial(_validation_pages, out_of_fold, n_patients, progress)
        of_validation = [section("patients", "Patients", [pages], begins_page=True)]
    if benchmark is not None:
        tables = partial(comparison_of_methods, source, benchmark)
        compared = [section("comparison", "Comparison of methods", [tables])]
    sections = [
        section("glance", "The model at a glance", [partial(results.glance, out_of_fold)]),
        *of_new,
        section("cohort", "Cohort", model(cohort.patient_flow, cohort.cohort_facts, cohort.fold_table,
                                          cohort.by_centre, cohort.characteristics)),
        section("results", "Discrimination and calibration", [partial(results.cross_validation, out_of_fold)]),
        *compared,
        section("segmentation", "Segmentation", model(stage_one_dice.dice_of_labels)),
        section("covariates", "Covariates", model(covariates.inputs_of_folds, covariates.hazard_ratios,
                                                  covariates.selected_features)),
        section("explanation", "What the network looked at", model(explanations)),
        section("training", "Training", model(training.stage_one_curves, training.stage_two_curves)),
        section("model", "Model and provenance", model(
            provenance.model_facts, provenance.plan_facts, provenance.settings_table, provenance.interval_edges,
            provenance.software, provenance.files)),
        section("tripod", "TRIPOD+AI", model(checklist)),
        *of_validation,
    ]  # fmt: skip
    title = f"Survival from images: {source.dataset}"
    subtitle = f"{source.trainer}, {source.configuration}, {count(len(source.folds), 'fold')}"
    notices = list(_first_of_all(source))

    def write_html(html: Path, parts: Sequence[Section]) -> None:
        write_page(html, title, subtitle, notices, parts)

    write_html(file, sections)
    if pdf_folder is not None:
        patients = next(part for part in sections if part.identifier == "patients")
        of_patients = [block for block in patients.blocks if isinstance(block, Section)]
        if not of_patients:
            why = [block.text for block in patients.blocks if isinstance(block, Notice | Text)]
            raise ValueError(" ".join([f"No patient has a page in {file}, so there is no PDF.", *why]))
        write_patient_pdfs(pdf_folder, of_patients, write_html, progress)


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
    if changed := _folds_of_other_outcomes(source):
        yield Notice(
            f"The outcomes in {source.survival_csv} have changed since fold {', '.join(changed)} was trained on them. "
            "The report shows those of today.",
            is_caution=True,
        )


def _folds_of_other_outcomes(source: CrossValidation) -> list[str]:
    """Return the numbers of these folds; none if the outcomes are gone, which every part says that needs them."""
    try:
        return source.folds_of_other_outcomes
    except (ValueError, OSError):
        return []


def _validation_pages(out_of_fold: OutOfFold, n_patients: int | None, progress: Progress) -> Iterator[Block]:
    patients = validation_patients(
        out_of_fold, DEFAULT_VALIDATION_PATIENTS if n_patients is None else n_patients
    )
    n_all = len(out_of_fold.patients.case_ids)
    yield Text(
        f"{len(patients)} of {count(n_all, 'validation patient')}, evenly from the highest to the lowest rank "
        "of risk in their folds; `--max_patients` shows more."
    )
    yield from patient_pages(patients, validation_background(out_of_fold), progress)


def _new_pages(
    out_of_fold: OutOfFold, new: NewPatients, n_patients: int | None, progress: Progress
) -> Iterator[Block]:
    patients = new.pages
    if n_patients is not None and n_patients < len(patients):
        yield Text(f"{n_patients} of {len(patients)} patients, those of the highest risk, have a page below.")
    yield from patient_pages(patients[:n_patients], new.background(out_of_fold), progress)
