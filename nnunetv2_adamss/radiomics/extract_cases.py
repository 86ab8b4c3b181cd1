"""Extraction of the features of many cases: in parallel, resumable, and not stopped by faulty cases."""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk
from joblib import delayed

from nnunetv2_adamss.common.files import sha256_of, write_atomically
from nnunetv2_adamss.common.json_object import read_object
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.parallel import in_parallel, one_thread
from nnunetv2_adamss.radiomics.extract_case import extract_case
from nnunetv2_adamss.radiomics.feature_table import Row, read_rows, unfinished_folder, write_table
from nnunetv2_adamss.radiomics.request import RadiomicsCase, RadiomicsRequest

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExtractionReport:
    """Result of an extraction, by case.

    Args:
        table: the CSV file.
        n_features: columns of it, beside ``case_id``.
        n_extracted: cases that were extracted now.
        n_kept: cases that an earlier run had extracted.
        notes: what a user should know of single cases, by ``case_id``.
        broken: what is wrong with those that have no row, by ``case_id``.
    """

    table: Path
    n_features: int
    n_extracted: int
    n_kept: int
    notes: Mapping[str, tuple[str, ...]]
    broken: Mapping[str, str]


def extract_features(
    cases: Sequence[RadiomicsCase],
    request: RadiomicsRequest,
    table: Path,
    *,
    masks: Mapping[str, Any] | None = None,
    elsewhere: Sequence[Path] = (),
    num_processes: int | None = None,
    overwrite: bool = False,
    on_case_done: Callable[[str], object] = lambda case_id: None,
    on_working: Callable[[Sequence[str]], object] = lambda case_ids: None,
) -> ExtractionReport:
    """Extract the features of all cases into one table; its provenance lies beside it.

    Every case is kept as soon as it is done, so a run that was killed continues where it was. Existing features are
    used again as long as images, mask, settings and versions are the same.

    Args:
        cases: images and masks.
        request: what is extracted.
        table: the CSV file.
        masks: where the masks are from, for the provenance.
        elsewhere: other tables; a case that is there with the same images, mask and settings is not extracted again.
        num_processes: cases in parallel; None leaves it to joblib, whose ``parallel_config`` may name a cluster.
        overwrite: extract all again, whatever exists.
        on_case_done: called with each case, in the order in which they are done.
        on_working: called with the cases that are being extracted, if ``num_processes`` is given.

    Raises:
        ValueError: if there are no cases, none can be extracted, or a table is there that is not of this request.
    """
    check_table(table, request, overwrite)
    if not cases:
        raise ValueError("There are no cases to extract features from.")
    if overwrite:
        shutil.rmtree(unfinished_folder(table), ignore_errors=True)
    known = {} if overwrite else read_rows(table, request)
    reusable = {} if overwrite else _rows_by_inputs([table, *elsewhere], request)
    tasks = [
        delayed(_extract_and_keep)(
            case, request, reusable.get(case.case_id, {}), unfinished_folder(table) / f"{case.case_id}.json"
        )
        for case in cases
    ]
    done = _in_turn(tasks, [case.case_id for case in cases], num_processes, on_case_done, on_working)
    rows = {one.case_id: one.row for one in done if one.row is not None}
    broken = {one.case_id: one.fault for one in done if one.fault is not None}
    n_kept = sum(one.was_there for one in done)
    if not any(row.features for row in rows.values()):
        raise ValueError(f"No case has features. {listed(_reasons(rows, broken))}.")
    dropped = sorted(set(known) - {case.case_id for case in cases})
    if dropped:
        logger.warning("%d case(s) of the former %s are gone: %s.", len(dropped), table.name, listed(dropped))
    write_table(table, rows, dict(sorted(broken.items())), request, masks or {})
    shutil.rmtree(unfinished_folder(table), ignore_errors=True)
    n_features = max(len(row.features) for row in rows.values())
    notes = {case_id: row.notes for case_id, row in sorted(rows.items()) if row.notes}
    return ExtractionReport(
        table, n_features, len(rows) - n_kept, n_kept, notes, dict(sorted(broken.items()))
    )


def _rows_by_inputs(tables: Sequence[Path], request: RadiomicsRequest) -> dict[str, dict[str, Row]]:
    """Rows of these tables for the same request, by ``case_id`` and the hash of images and mask."""
    found: dict[str, dict[str, Row]] = {}
    for table in tables:
        with suppress(ValueError):  # of another request
            for case_id, row in read_rows(table, request).items():
                found.setdefault(case_id, {}).setdefault(row.inputs_sha256, row)
    return found


def check_table(table: Path, request: RadiomicsRequest, overwrite: bool) -> None:
    """Raise ValueError if the features cannot be written to this file; before hours are spent on masks."""
    if table.suffix != ".csv":
        raise ValueError(f"Features are written as .csv, not {table.name}.")
    if not overwrite:
        read_rows(table, request)


@dataclass(frozen=True)
class _Done:
    case_id: str
    row: Row | None = None  # None where there is a fault
    fault: str | None = None
    was_there: bool = False


def _extract_and_keep(
    case: RadiomicsCase, request: RadiomicsRequest, reusable: Mapping[str, Row], file: Path
) -> _Done:
    """Extract a case, unless it is done, and keep it in a file; runs in a process of its own."""
    try:
        inputs_sha256 = _inputs_sha256(case)
        kept = reusable.get(inputs_sha256) or _kept_row(file, inputs_sha256, request)
        if kept is not None:
            return _Done(case.case_id, kept, was_there=True)
        with one_thread(sitk.ProcessObject):
            found = extract_case(case, request)
        row = Row(inputs_sha256, found.features, found.notes)
        write_atomically(file, json.dumps({"request_sha256": request.sha256(), **row.to_dict()}))
        return _Done(case.case_id, row)
    except ValueError as error:
        return _Done(case.case_id, fault=str(error))
    # A fault in one case, from a full disk to an error of a library, must not stop the others.
    except Exception as error:
        return _Done(case.case_id, fault=f"{type(error).__name__}: {error}")


def _in_turn(
    tasks: Sequence[Any],
    case_ids: Sequence[str],
    num_processes: int | None,
    on_case_done: Callable[[str], object],
    on_working: Callable[[Sequence[str]], object],
) -> list[_Done]:
    found = []
    # Processes take the cases in their order, so those that work are on the first that are not done.
    left = list(case_ids)
    on_working(left[: num_processes or 0])
    for one in in_parallel(tasks, num_processes):
        found.append(one)
        on_case_done(one.case_id)
        left.remove(one.case_id)
        on_working(left[: num_processes or 0])
    return found


def _inputs_sha256(case: RadiomicsCase) -> str:
    files = [*case.images, case.mask]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise ValueError(f"missing file(s): {', '.join(missing)}")
    return hashlib.sha256("".join(sha256_of(file) for file in files).encode()).hexdigest()


def _kept_row(file: Path, inputs_sha256: str, request: RadiomicsRequest) -> Row | None:
    """The row that a killed run left, if it is whole and of the same images, mask and request."""
    try:
        content = read_object(file, request_sha256=str)
        row = Row.from_dict(content)
    # Written in part, for example on a full disk, or another program's: the case is extracted again.
    except (OSError, ValueError, RecursionError):
        return None
    is_same = (content["request_sha256"], row.inputs_sha256) == (request.sha256(), inputs_sha256)
    return row if is_same else None


def _reasons(rows: Mapping[str, Row], broken: Mapping[str, str]) -> list[str]:
    found: Iterable[tuple[str, str]] = [
        *broken.items(),
        *((c, "; ".join(row.notes)) for c, row in rows.items()),
    ]
    return [f"{case_id}: {reason}" for case_id, reason in sorted(found)]
