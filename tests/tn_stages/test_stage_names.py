"""Stages of tables in the groups of HECKTOR 2026."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.common.tables.faults import FileFaultsError
from nnunetv2_adamss.tn_stages.stage_names import read_stages

FILE = Path("stages.csv")


def read(cells: list, letter: str) -> list[str]:
    column = pd.Series(cells, name=f"{letter.lower()}_stage", index=[f"c{i}" for i in range(len(cells))])
    return [f"{case}={stage}" for case, stage in read_stages(column, letter, FILE).items()]


def test_subgroups_prefixes_and_numbers_are_read_as_the_stage() -> None:
    assert read(["T1", "t4a", "cT2", "ypT3", "4b", "2", "3.0"], "T") == [
        "c0=T1", "c1=T4", "c2=T2", "c3=T3", "c4=T4", "c5=T2", "c6=T3",
    ]  # fmt: skip
    assert read(["N2a", "N2b", "N2c", "N0", "pN1"], "N") == ["c0=N2", "c1=N2", "c2=N2", "c3=N0", "c4=N1"]


def test_unknown_stages_and_those_that_are_no_group_are_left_out() -> None:
    assert read(["", np.nan, "TX", "unknown", "Tis", "T0", "-", "T1"], "T") == ["c7=T1"]
    assert read(["NX", "N4", "N3"], "N") == ["c2=N3"]


def test_other_text_is_named() -> None:
    with pytest.raises(FileFaultsError, match=r"stages.csv: the column n_stage holds .* N1: 'T2', 'many'\."):
        read(["N0", "T2", "many"], "N")
