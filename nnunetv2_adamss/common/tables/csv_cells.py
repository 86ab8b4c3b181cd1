"""Read a CSV as the text of its cells, with the row numbers that a spreadsheet shows."""

import csv
import io
import logging
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.common.tables.csv_text import unescaped
from nnunetv2_adamss.common.tables.faults import FileFaultsError, with_examples

logger = logging.getLogger(__name__)

_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}
_HEADER_ROW = 1


class _UnreadableCsvError(ValueError):
    """Raised for a file that cannot be split into cells; one sentence without its full stop."""


def read_cells(csv_file: Path) -> pd.DataFrame:
    """Read the cells as they are written, without surrounding white space and without an apostrophe before a formula.

    Args:
        csv_file: separated by commas, UTF-8 with or without byte order mark. Blank rows are left out.

    Returns:
        One row a record, all text; the index is the row number in a spreadsheet, where the header is row 1.
        Column names may repeat.

    Raises:
        FileFaultsError: if the file does not exist, has no row below the header, another encoding or separator,
            or rows of other lengths than the header.
    """
    try:
        return _cells(csv_file)
    except _UnreadableCsvError as error:
        raise FileFaultsError(csv_file, [str(error)]) from error


def _cells(csv_file: Path) -> pd.DataFrame:
    records = _records(_text(csv_file))
    if not records:
        raise _UnreadableCsvError("the file is empty")
    header = records.pop(min(records))
    _check_separator(header)
    if not records:
        raise _UnreadableCsvError("there is a header but no row below it")
    _check_lengths(records, len(header))
    return pd.DataFrame(list(records.values()), index=list(records), columns=header, dtype=object)


def _text(csv_file: Path) -> str:
    if not csv_file.is_file():
        raise _UnreadableCsvError("the file does not exist")
    logger.debug("Reading %s", csv_file)
    try:
        return csv_file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _UnreadableCsvError(
            f"it is not in UTF-8 (byte {error.object[error.start]:#04x} at position {error.start}); "
            "save it as CSV UTF-8"
        ) from error


def _records(text: str) -> dict[int, list[str]]:
    """The records that are not blank, by row number."""
    reader = csv.reader(io.StringIO(text), strict=True)
    records = {}
    try:
        for row, cells in enumerate(reader, start=_HEADER_ROW):
            stripped = [unescaped(cell.strip()).strip() for cell in cells]
            if any(stripped):
                records[row] = stripped
    except csv.Error as error:
        raise _UnreadableCsvError(f"line {reader.line_num} is not CSV ({error})") from error
    return records


def _check_separator(header: list[str]) -> None:
    if len(header) > 1:
        return
    for separator, name in _OTHER_SEPARATORS.items():
        if separator in header[0]:
            raise _UnreadableCsvError(f"its cells are separated by {name}, expected commas")


def _check_lengths(records: dict[int, list[str]], n_columns: int) -> None:
    wrong = [f"row {row} has {len(cells)}" for row, cells in records.items() if len(cells) != n_columns]
    if wrong:
        raise _UnreadableCsvError(
            with_examples(f"every row must have {n_columns} cells as the header has", wrong)
        )
