"""Read the log of a conversion."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args

from nnunetv2_adamss.common.json_object import FAULTS, read_known_object, read_object
from nnunetv2_adamss.common.kinds import (
    Kind,
    by_name,
    check_kinds,
    holding,
    is_count,
    is_number,
    is_positive,
    list_of,
    optional,
)
from nnunetv2_adamss.datasets.conversion.convert_patient import CaseSettings
from nnunetv2_adamss.datasets.conversion.patient_grid import GridChoice, VoxelGrid
from nnunetv2_adamss.dicom.suv import SUV_TYPES


@dataclass(frozen=True)
class Source:
    """Source of a data set.

    Args:
        format: ``manifest``, or which published cohort.
        path: of the folder or the CSV, absolute.
        tables: of outcomes and clinical values, if the user gave them.
    """

    format: str
    path: str
    tables: tuple[str, ...] = ()


def source_in(log: Path) -> Source | None:
    """Return the source of the data set; None if the log does not name it.

    Raises:
        ValueError: if the file cannot be read.
    """
    source = _read(log).get("source")
    return Source(source["format"], source["path"], tuple(source["tables"])) if source else None


def settings_in(log: Path) -> CaseSettings:
    """Return the settings of the conversion, to convert other patients in the same way.

    Raises:
        ValueError: if the file is not there, no such log, or of another version with other settings.
    """
    settings = _part(log, "settings")
    known = {one.name for one in fields(CaseSettings)}
    # Logs of 0.1 do not have what came later, whose default is what 0.1 did.
    if not known - {"suv"} <= set(settings) <= known:
        raise ValueError(f"{log} has other settings than this version ({', '.join(settings)}).")
    return CaseSettings(**settings | {"spacing_xyz_mm": tuple(settings["spacing_xyz_mm"])})


def settings_for_new_patients(log: Path) -> CaseSettings:
    """Return the settings of a training set's conversion, with which new patients can be converted.

    Raises:
        ValueError: as from :func:`settings_in`, or if boxes were cut around known tumours.
    """
    settings = settings_in(log)
    if settings.field_mm is not None:
        raise ValueError(
            f"{log} says that boxes were cut around known tumours, which a new patient does not have; train on a data "
            "set that was converted with --field_mm none."
        )
    return settings


def cases_in(log: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return the log entry of each patient, by ``case_id``.

    Raises:
        ValueError: if the file is not there, or has no entries of patients.
    """
    return _part(log, "cases")


def ct_grids_in(log: Path) -> dict[str, VoxelGrid]:
    """Return the grid of each patient's CT as published, by ``case_id``.

    Raises:
        ValueError: if the file is not there, or lacks the grid of a patient.
    """
    grids = {}
    for case_id, case in cases_in(log).items():
        try:
            check_kinds(case, {"source_grids.ct": by_name(list_of(is_number))})
            grids[case_id] = VoxelGrid.described(case["source_grids"]["ct"])
        except FAULTS as error:
            raise ValueError(f"{log} does not say on which grid the CT of {case_id} was.") from error
    return grids


def read_case(file: Path) -> dict[str, Any] | None:
    """Read the log entry of one patient by a run that was stopped; None if the file is damaged."""
    try:
        return read_object(file, made_from=dict)
    except ValueError:
        return None


def _part(log: Path, key: str) -> dict[str, Any]:
    part: dict[str, Any] | None = _read(log).get(key)
    if part is None:
        raise ValueError(f"{log} has no '{key}', so it is not a complete log of adamss_convert_dataset.")
    return part


def _read(log: Path) -> dict[str, Any]:
    try:
        return read_known_object(log, _KINDS, ())
    except (OSError, ValueError) as error:
        raise ValueError(f"{log} cannot be read as the log of adamss_convert_dataset ({error})") from error


_KINDS: dict[str, Kind] = {
    "source": optional(holding(format=str, path=str, tables=list_of(str))),
    "settings": dict,
    "settings.grid": lambda value: value in get_args(GridChoice),
    "settings.spacing_xyz_mm": list_of(is_positive, 3),
    "settings.head_and_neck": bool,
    "settings.field_mm": optional(is_positive),
    "settings.seed": int,
    "settings.labels": by_name(is_count),
    "settings.suv": lambda value: value in SUV_TYPES,
    "cases": by_name(dict),
}
