"""The T and N stages of HECKTOR 2026, and the stages of tables in these groups."""

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from nnunetv2_adamss.common.messages import quoted
from nnunetv2_adamss.common.tables.faults import FileFaultsError, with_examples

# The column of each stage.
STAGE_COLUMNS: Mapping[str, str] = {"T": "t_stage", "N": "n_stage"}
# A stage is no predictor of itself, nor are columns that are made of it, or that a new patient does not have.
COLUMNS_ABOUT_STAGES = (*STAGE_COLUMNS.values(), "m_stage", "tnm_group", "tnm_edition")
# AJCC and UICC, 7th edition, without subgroups: N2a, N2b and N2c are N2.
CLASSES: Mapping[str, tuple[str, ...]] = {"T": ("T1", "T2", "T3", "T4"), "N": ("N0", "N1", "N2", "N3")}
# Clinical (c), pathological (p) or after therapy (y); the letter may be missing where the column has it in its title.
_STAGE = r"[cpy]*{letter}?(?P<number>[0-4])(?:\.0)?[a-d]?"
_UNKNOWN = r"[-\u2013?]*|[cpy]*{letter}?x|n/?a|nan|unknown"


def read_stages(cells: pd.Series, letter: str, file: Path) -> pd.Series:
    """Read the stages of patients, in the groups of HECKTOR 2026.

    Args:
        cells: text by ``case_id``.
        letter: T or N.
        file: of the cells, for messages.

    Returns:
        By ``case_id``, only those whose stage is known and one of the groups: T0 and Tis are none.

    Raises:
        FileFaultsError: if a cell is no such stage.
    """
    texts = cells.fillna("").map(lambda cell: str(cell).strip())
    wrong = [text for text in texts.unique() if not _is_known_text(text, letter)]
    if wrong:
        sentence = f"the column {cells.name} holds what is no {letter} stage such as {CLASSES[letter][1]}"
        raise FileFaultsError(file, [with_examples(sentence, [quoted(text) for text in wrong])])
    stages = texts.map(lambda text: _group(text, letter))
    return stages[stages.isin(CLASSES[letter])]


def _is_known_text(text: str, letter: str) -> bool:
    patterns = (_STAGE, _UNKNOWN, r"[cpy]*{letter}?is")
    return any(re.fullmatch(one.format(letter=letter), text, re.IGNORECASE) for one in patterns)


def _group(text: str, letter: str) -> str:
    found = re.fullmatch(_STAGE.format(letter=letter), text, re.IGNORECASE)
    return f"{letter}{found['number']}" if found else ""
