"""The log of a conversion, as what comes after it reads it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnunetv2_adamss.datasets.conversion.one_case import CaseSettings


@dataclass(frozen=True)
class Source:
    """What a data set was made from.

    Args:
        format: ``manifest``, or which published cohort.
        path: of the folder or the CSV, absolute.
        tables: of outcomes and clinical values, where the user said so.
    """

    format: str
    path: str
    tables: tuple[str, ...] = ()


def source_in(log: Path) -> Source | None:
    """What the data set was made from; None of a log that does not say.

    Raises:
        ValueError: if the file cannot be read.
    """
    source = _content(log).get("source")
    return Source(source["format"], source["path"], tuple(source["tables"])) if source else None


def settings_in(log: Path) -> CaseSettings:
    """How the patients were converted, to convert others alike.

    Raises:
        ValueError: if the file is not there, no such log, or of another version with other settings.
    """
    settings = _part(log, "settings")
    try:
        return CaseSettings(**settings | {"spacing_xyz_mm": tuple(settings["spacing_xyz_mm"])})
    except (KeyError, TypeError) as error:
        raise ValueError(f"{log} has other settings than this version ({error}).") from error


def cases_in(log: Path) -> Mapping[str, Mapping[str, Any]]:
    """What became of each patient, by ``case_id``.

    Raises:
        ValueError: if the file is not there, or says nothing of the patients.
    """
    return _part(log, "cases")


def _part(log: Path, key: str) -> dict[str, Any]:
    part = _content(log).get(key)
    if not isinstance(part, dict):
        raise ValueError(f"{log} has no '{key}', so it is no log of adamss_convert_dataset, or was cut down.")
    return part


def _content(log: Path) -> dict[str, Any]:
    try:
        content = json.loads(log.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{log} cannot be read as the log of adamss_convert_dataset ({error}).") from error
    return content if isinstance(content, dict) else {}
