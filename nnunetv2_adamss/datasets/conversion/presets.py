"""Layouts of the public cohorts, one a year: names of files and columns change every year."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nnunetv2_adamss.datasets.conversion.patient_grid import GridChoice

PATIENT, EVENT, TIME, CENTRE = "patient", "event", "time", "centre"
_IMAGE = r"\.(?:nii\.gz|nii|mha|nrrd)$"


@dataclass(frozen=True)
class Column:
    """A clinical column.

    Args:
        kind: as in ``survival.json``.
        titles: its titles in tables; case, white space, punctuation and text in brackets are ignored.
        categories: of an ordinal column, in order.
    """

    kind: str
    titles: tuple[str, ...]
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Files:
    """Names of a patient's files: patterns for the end of a path below the source, with the patient in ``id``."""

    ct: str
    pet: str
    mask: str
    pet_mask: str | None = None  # if the PET has its own mask


@dataclass(frozen=True)
class Preset:
    """One published cohort.

    Args:
        files: names of images and masks.
        tables: names of its tables, in lower case, with ``*`` for parts that differ.
        titles: of the columns ``patient``, ``event`` and ``time``.
        columns: names of its clinical columns, keys of ``COLUMNS``.
        labels: as in ``dataset.json``.
        endpoint: what the event is; times are in days.
        grid: default grid of its images.
        has_centre: whether the first letters of a patient's name are the centre.
        field_mm: default side of the boxes that are cut from its images.
        origin: reference and licence, if the licence asks to name them.
        outcome_of: makes ``event`` and ``time`` of a row if the table does not hold them as numbers.
    """

    files: Files
    tables: tuple[str, ...]
    titles: Mapping[str, tuple[str, ...]]
    columns: tuple[str, ...]
    labels: Mapping[str, int]
    endpoint: str
    grid: GridChoice = "iso"
    has_centre: bool = True
    field_mm: float | None = None
    origin: Mapping[str, str] = field(default_factory=dict)
    outcome_of: Callable[[Mapping[str, str]], dict[str, str]] | None = None


def is_unknown(cell: str) -> bool:
    """Return True if a cell stands for an unknown value: empty, dashes, or an X for a stage."""
    return re.fullmatch("[-\u2013?]*|[tnm]?x|n/?a|nan|unknown", cell, re.IGNORECASE) is not None


def disease_free_survival(row: Mapping[str, str]) -> dict[str, str]:
    """Return the outcome of a sarcoma patient: any recurrence or metastasis, else censored at the last follow-up."""
    relapsed = not is_unknown(row[EVENT])
    time = row[TIME] if relapsed else row["follow_up"]
    event = "1" if relapsed else "0" if time else ""
    return {EVENT: event, TIME: time}


_STAGE_T = ("T0", "Tis", "T1", "T1a", "T1b", "T2", "T2a", "T2b", "T3", "T4", "T4a", "T4b")
_STAGE_N = ("N0", "N1", "N2", "N2a", "N2b", "N2c", "N3", "N3a", "N3b")
COLUMNS: Mapping[str, Column] = {
    "age": Column("number", ("Age",)),
    "sex": Column("category", ("Gender", "Sex")),
    "weight": Column("number", ("Weight",)),
    "tobacco": Column("category", ("Tobacco", "Tobacco Consumption")),
    "alcohol": Column("category", ("Alcohol", "Alcohol Consumption")),
    "performance_status": Column("ordinal", ("Performance status",), ("0", "1", "2", "3", "4")),
    "hpv_status": Column("category", ("HPV status",)),
    "surgery": Column("category", ("Surgery",)),
    "chemotherapy": Column("category", ("Chemotherapy",)),
    "treatment": Column("category", ("Treatment",)),
    "t_stage": Column("ordinal", ("T-stage",), _STAGE_T),
    "n_stage": Column("ordinal", ("N-stage",), _STAGE_N),
    "m_stage": Column("category", ("M-stage",)),
    "tnm_group": Column("category", ("TNM group",)),
    "tnm_edition": Column("category", ("TNM edition",)),
    "histology": Column("category", ("MSKCC type",)),
    "grade": Column("ordinal", ("Grade",), ("Low", "Intermediate", "High")),
}
_HECKTOR_IMAGES = {
    "ct": rf"(?P<id>[^/]+?)_{{1,2}}ct{_IMAGE}",
    "pet": rf"(?P<id>[^/]+?)_{{1,2}}pt{_IMAGE}",
}
_HECKTOR_FILES = Files(**_HECKTOR_IMAGES, mask=rf"(?P<id>[^/]+){_IMAGE}")
_GTV = {"background": 0, "GTVp": 1, "GTVn": 2}
_RELAPSE = {PATIENT: ("PatientID",), EVENT: ("Relapse",), TIME: ("RFS",)}
_RELAPSE_FREE = "relapse-free survival"

PRESETS: Mapping[str, Preset] = {
    "hecktor2021": Preset(
        files=Files(**_HECKTOR_IMAGES, mask=rf"(?P<id>[^/]+?)_{{1,2}}gtvt{_IMAGE}"),
        tables=("hecktor2021_patient_info*.csv", "hecktor2021_patient_endpoint*.csv"),
        titles={
            PATIENT: ("PatientID",), EVENT: ("Progression",), TIME: ("Progression free survival",)
        },
        columns=(
            "age", "sex", "t_stage", "n_stage", "m_stage", "tnm_group", "tnm_edition", "hpv_status",
            "performance_status", "tobacco", "alcohol", "chemotherapy",
        ),
        labels={"background": 0, "GTVt": 1},
        endpoint="progression-free survival",
    ),
    "hecktor2022": Preset(
        files=_HECKTOR_FILES,
        tables=("hecktor2022_*clinical_info*.csv", "hecktor2022_*endpoint*.csv"),
        titles=_RELAPSE,
        columns=(
            "age", "sex", "weight", "tobacco", "alcohol", "performance_status", "hpv_status", "surgery",
            "chemotherapy",
        ),
        labels=_GTV,
        endpoint=_RELAPSE_FREE,
    ),
    "hecktor2025": Preset(
        files=_HECKTOR_FILES,
        tables=("hecktor*2025_*.csv",),
        titles=_RELAPSE,
        columns=(
            "age", "sex", "tobacco", "alcohol", "performance_status", "treatment", "m_stage", "hpv_status",
        ),
        labels=_GTV,
        endpoint=_RELAPSE_FREE,
    ),
    "hecktor2026": Preset(
        files=_HECKTOR_FILES,
        tables=("hecktor*2026_*.csv",),
        titles=_RELAPSE,
        columns=(
            "age", "sex", "tobacco", "alcohol", "performance_status", "treatment", "t_stage", "n_stage",
            "m_stage", "hpv_status",
        ),
        labels=_GTV,
        endpoint=_RELAPSE_FREE,
    ),
    "ibsi_sarcoma": Preset(
        files=Files(
            ct=rf"(?P<id>[^/]+)/ct_image{_IMAGE}",
            pet=rf"(?P<id>[^/]+)/pet_image{_IMAGE}",
            mask=rf"(?P<id>[^/]+)/ct_mask{_IMAGE}",
            pet_mask=rf"(?P<id>[^/]+)/pet_mask{_IMAGE}",
        ),
        tables=("infoclinical_sts*.xlsx", "infoclinical_sts*.csv"),
        titles={
            PATIENT: ("Patient ID",),
            EVENT: ("Outcome (recurrence, mets)",),
            TIME: ("Time - diagnosis to outcome (days)",),
            "follow_up": ("Time - diagnosis to last follow-up (days)",),
        },
        columns=("age", "sex", "histology", "grade"),
        labels={"background": 0, "tumour": 1},
        endpoint="disease-free survival (any recurrence or metastasis)",
        grid="pet",
        has_centre=False,
        field_mm=130.0,
        origin={
            "reference": "IBSI validation data set, from the TCIA collection Soft-tissue-Sarcoma: "
            "10.7937/K9/TCIA.2015.7GO2GSKS, 10.1088/0031-9155/60/14/5471, 10.1007/s10278-013-9622-7",
            "licence": "CC BY 3.0; changed as conversion_log.json says",
        },
        outcome_of=disease_free_survival,
    ),
}  # fmt: skip


def title_key(title: str) -> str:
    """Return a column's title without case, brackets, white space and punctuation."""
    return re.sub(r"[\W_]+", " ", re.sub(r"\([^)]*\)", "", title)).strip().casefold()


def example(pattern: str) -> str:
    """Return an example of a file name that fits a pattern of ``Files``."""
    name = re.sub(r"\(\?P<id>[^)]*\)", "PATIENT", pattern.removesuffix(_IMAGE))
    return name.replace("_{1,2}", "__") + ".nii.gz"
