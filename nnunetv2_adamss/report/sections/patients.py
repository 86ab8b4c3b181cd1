"""A page for each patient: images, tumour, survival, and warnings."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from nnunetv2_adamss.common.progress import Progress, silent
from nnunetv2_adamss.display.blocks import Block, Columns, Facts, Notice, Section, Table
from nnunetv2_adamss.display.parts import section
from nnunetv2_adamss.display.words import significant
from nnunetv2_adamss.metrics.volume_and_uptake import TumourMeasures
from nnunetv2_adamss.report.patient_pictures import patient_picture
from nnunetv2_adamss.report.patient_volumes import PatientVolumes, pet_of
from nnunetv2_adamss.report.sections.patient_survival import survival_chart, survival_table
from nnunetv2_adamss.report.sections.patient_tumour import tumour_chart, tumour_table
from nnunetv2_adamss.report.shown_patient import Background, Patient


def patient_pages(
    patients: Sequence[Patient], background: Background, progress: Progress = silent
) -> Iterator[Section]:
    """Make one section a patient.

    Args:
        patients: in the order to show.
        background: cohort to compare with.
        progress: shows which page is made.
    """
    for number, patient in enumerate(progress(patients, "patients"), start=1):
        yield _page(f"patient-{number}", patient, background)


def _page(identifier: str, patient: Patient, background: Background) -> Section:
    parts = (
        partial(_warnings, patient),
        partial(_survival, patient, background),
        partial(_images, patient, background),
        partial(_tumour, patient, background),
    )
    return section(identifier, patient.case_id, parts, begins_page=True)


def _warnings(patient: Patient) -> Iterator[Block]:
    if patient.warnings:
        yield Notice(" ".join(patient.warnings), is_caution=True)


def _survival(patient: Patient, background: Background) -> Iterator[Block]:
    yield Columns(
        [
            [survival_table(patient, background), Facts(_facts(patient, background.time_unit))],
            [survival_chart(patient, background), *_covariates(patient)],
        ]
    )


def _facts(patient: Patient, unit: str) -> list[tuple[str, str]]:
    spread = patient.predicted_time_sd
    rows = [
        (
            f"Predicted mean time up to {_time(patient.last_time, unit)}",
            _time(patient.predicted_time, unit),
        )
    ]
    if spread is not None and np.isfinite(spread):
        rows.append(("Spread between folds (standard deviation)", _time(spread, unit)))
    rows += patient.facts
    if patient.outcome is not None:
        time, is_event = patient.outcome
        rows.append(
            ("What happened", f"{'event after' if is_event else 'no event up to'} {_time(time, unit)}")
        )
    return rows


def _time(value: float, unit: str) -> str:
    return f"{significant(value, 4)} {unit}"


def _images(patient: Patient, background: Background) -> Iterator[Block]:
    volumes = PatientVolumes.read(patient.find_channels(), patient.mask, background.ignore_label)
    yield patient_picture(patient.case_id, volumes)


def _tumour(patient: Patient, background: Background) -> Iterator[Block]:
    """Measure again from the files: unlike a picture, this needs no axes at right angles."""
    tumour = TumourMeasures.read(patient.mask, pet_of(patient.find_channels()), background.ignore_label)
    if not tumour.n_lesions:
        yield Notice("The mask is empty: no tumour was found, so there is no SUV.", is_caution=True)
    table = tumour_table(tumour, background)
    if background.tumours:
        yield Columns([[table], [tumour_chart(tumour, background.tumours)]])
    else:
        yield table


def _covariates(patient: Patient) -> Iterator[Block]:
    if patient.covariates:
        yield Table("Covariates, as measured", ["Covariate", "Value"], list(patient.covariates.items()))
