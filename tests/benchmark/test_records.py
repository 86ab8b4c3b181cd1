"""Records of steps, of which nothing is known where they are damaged."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from nnunetv2_adamss.benchmark.records import has_failed_in_part, read_record


@pytest.mark.parametrize(
    "record",
    [
        {"run": "x", "exit_code": None},
        {"run": "x", "exit_code": 3, "reason": "it ended with exit code 3"},
        # Of version 0.1.
        {"kind": "x", "seconds": 2.5, "exit_code": 1, "resumed": False},
    ],
)
def test_a_record_is_read(tmp_path: Path, record: dict[str, Any]) -> None:
    file = tmp_path / "a.json"
    assert read_record(file) == {}
    file.write_text(json.dumps(record))
    assert read_record(file) == record


@pytest.mark.parametrize("content", ["", "{", "[]", '{"run": "x"}', '{"run": 1, "exit_code": 0}'])
def test_of_a_record_that_is_damaged_nothing_is_known(tmp_path: Path, content: str) -> None:
    file = tmp_path / "a.json"
    file.write_text(content)
    assert read_record(file) == {}


@pytest.mark.parametrize(("exit_code", "expected"), [(0, False), (1, True), (None, True)])
def test_an_attempt_without_success_has_failed_in_part_if_its_files_are_there_and_older(
    tmp_path: Path, exit_code: int | None, expected: bool
) -> None:
    evidence, record = (tmp_path / "x", tmp_path / "y"), tmp_path / "a.json"
    for file in evidence:
        assert not has_failed_in_part(record, evidence)
        file.touch()
    record.write_text(json.dumps({"run": "x", "exit_code": exit_code}))
    assert has_failed_in_part(record, evidence) == expected
    later = record.stat().st_mtime + 60
    os.utime(tmp_path / "x", (later, later))
    assert not has_failed_in_part(record, evidence), "somebody has made them since"
