"""The model card beside an exported model: intended use, results, limits, and data about patients that it discloses."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.display.blocks import Block, Facts, Notice, Section, Table, Text
from nnunetv2_adamss.display.markdown import markdown
from nnunetv2_adamss.display.parts import Part, section
from nnunetv2_adamss.display.words import count, joined, percent, time
from nnunetv2_adamss.evaluation.evaluate import EvaluationSettings, evaluate
from nnunetv2_adamss.evaluation.evaluation_sections import evaluation_sections
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from nnunetv2_adamss.report.model_data import is_synthetic
from nnunetv2_adamss.report.out_of_fold import OutOfFold
from nnunetv2_adamss.report.sections import cohort, provenance, results
from nnunetv2_adamss.report.sections.disclosure import disclosed
from nnunetv2_adamss.survival.config import PATHS
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS

logger = logging.getLogger(__name__)

# Shown sections of an evaluation, by name.
_EVALUATED = ("ranking", "calibration")


def write_model_card(file: Path, model: SurvivalModel) -> None:
    """Write the card as Markdown; a notice replaces a part without data, such as results of an installed model.

    Args:
        file: to write.
        model: exported.
    """
    write_atomically(file, markdown(f"Model card: {file.stem}", _sections(model)))


def _sections(model: SurvivalModel) -> list[Section]:
    def of_folds(*parts: Callable[[CrossValidation], Iterable[Block]]) -> list[Part]:
        return [partial(_of_folds, parts, model)]

    return [
        section("model", "Model", [partial(_model, model)]),
        section("use", "Intended use", [partial(_intended_use, model)]),
        section("cohort", "Training patients",
                of_folds(_synthetic, cohort.cohort_facts, cohort.fold_table)),
        section("results", "Results in patients that were not used for training", of_folds(partial(_results, model))),
        section("limits", "Limitations", [partial(_limits, model)]),
        section("disclosure", "Patient data that the zip discloses", [partial(disclosed, model)]),
        section("settings", "Settings and software",
                of_folds(provenance.plan_facts, _settings_without_paths, provenance.software)),
    ]  # fmt: skip


def _of_folds(
    parts: Iterable[Callable[[CrossValidation], Iterable[Block]]], model: SurvivalModel
) -> Iterator[Block]:
    """Make blocks from the trained folds' files and outcomes, which an installed model does not have.

    The reason for a missing part names files or cases, so it is logged and not published.
    """
    is_complete = True
    for part in parts:
        try:
            yield from part(CrossValidation.find(model.folder, model.fold_numbers))
        except (ValueError, OSError) as error:
            logger.warning("The model card is not complete. %s", error)
            is_complete = False
    if not is_complete:
        yield Notice(
            "This section is not complete: files that it needs were not on the machine of the export."
        )


def _model(model: SurvivalModel) -> Iterator[Block]:
    """Return the model's names, and its hashes for recognition."""
    survival, fold = model.first.survival, model.first.nnunet_fold
    calibration = model.calibration
    yield Facts(
        [
            ("Data set", fold.plans["dataset_name"]),
            ("Stage I", f"{survival.config.seg_trainer}, {survival.config.seg_checkpoint}"),
            ("Stage II", f"{model.first.trainer}, {model.checkpoint_name}"),
            ("Plan and configuration", f"{fold.plans['plans_name']}, {fold.configuration}"),
            ("Folds of the ensemble", ", ".join(map(str, model.fold_numbers))),
            ("Endpoint", survival.endpoint or "not named in survival.json"),
            ("Predicts survival up to", time(float(model.times[-1]), survival.time_unit)),
            (
                "Calibrated",
                "no"
                if calibration is None
                else f"on {count(calibration.n_cases, 'patient')} with {count(calibration.n_events, 'event')}",
            ),
            ("Exported", f"{date.today()} by nnunetv2-adamss {version('nnunetv2-adamss')}"),
        ]
    )
    yield Table("Checkpoints", ["Network", "SHA-256"], list(model.sha256.items()))


def _intended_use(model: SurvivalModel) -> Iterator[Block]:
    endpoint = model.first.survival.endpoint or "survival"
    yield Text(
        f"For research on {endpoint} in patients like the training patients below. The model is not a medical device "
        "and must not be used for decisions about a patient's treatment."
    )
    others = sorted(set(model.features) - model.radiomics)
    yield Facts(
        [
            ("Images, in this order and on one voxel grid", ", ".join(model.channel_names)),
            ("Clinical columns", joined(model.clinical_columns)),
            ("Radiomics, extracted by adamss_predict_survival", count(len(model.radiomics), "feature")),
            ("Further features, from a table of your own", joined(others)),
        ]
    )


def _synthetic(source: CrossValidation) -> Iterator[Notice]:
    if is_synthetic(source):
        yield Notice(
            "Images and outcomes are synthetic, so no result here applies to patients.", is_caution=True
        )


def _results(model: SurvivalModel, source: CrossValidation) -> Iterator[Block]:
    """Return discrimination and calibration; without volume and SUVmax, which would need all images."""
    evaluated = {CHECKPOINTS[fold.summary["predictions_from"]] for fold in source.folds}
    if evaluated != {model.checkpoint_name}:
        yield Notice(
            f"These are results of {joined(sorted(evaluated))}, but the zip has {model.checkpoint_name}.",
            is_caution=True,
        )
    out_of_fold = OutOfFold(source)
    patients = out_of_fold.patients
    names = [fold.name for fold in out_of_fold.folds]
    evaluation = evaluate(patients, source.table, EvaluationSettings(), fold_names=names)
    facts = evaluation.cohort
    yield Facts(
        [
            ("Patients with a prediction and an outcome", f"{facts.n_patients:,}"),
            ("Events", f"{facts.n_events:,} ({percent(1 - facts.censored_fraction)})"),
        ]
    )
    yield from results.caveats(out_of_fold)
    yield from (part for part in evaluation_sections(evaluation) if part.identifier in _EVALUATED)


def _limits(model: SurvivalModel) -> Iterator[Text]:
    last_time = time(float(model.times[-1]), model.first.survival.time_unit)
    yield Text(
        "- The model has not been tested on other hospitals, scanners, reconstructions, treatments or stages of "
        "disease than those of the training patients. Evaluate it on patients of a new place (adamss_evaluate_survival)"
        " and calibrate it for them (adamss_calibrate).\n"
        f"- Survival is not predicted beyond {last_time}. It is less certain at later times, since fewer patients were "
        "under observation.\n"
        "- In the results above, each patient was predicted by one fold. New patients are predicted by all folds of "
        "the ensemble together; its results are only known once new patients are evaluated.\n"
        "- Stage I finds the tumour. If its mask is wrong, the predicted survival is not that of the tumour: check the "
        "masks."
    )


def _settings_without_paths(source: CrossValidation) -> Iterator[Table]:
    """Return the settings of Stage II; paths are in the zip, but not needed in a published card."""
    for table in provenance.settings_table(source):
        if isinstance(table, Table):
            yield replace(table, rows=[row for row in table.rows if row[0] not in PATHS])
