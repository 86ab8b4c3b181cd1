"""Records of steps, of which nothing is known where they are damaged."""

import os
from pathlib import Path

import pytest

from nnunetv2_adamss.benchmark.records import Record, has_failed_in_part, read_record


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    for record in (Record("run"), Record("run", 0), Record("run", 3, "it ended with exit code 3")):
        record.write(tmp_path, "a")
        assert read_record(tmp_path, "a") == record


def test_a_record_of_version_0_1_says_how_the_attempt_ended(tmp_path: Path) -> None:
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "a.json").write_text(
        '{"kind": "x", "seconds": 2.5, "exit_code": 1, "resumed": false}'
    )
    assert read_record(tmp_path, "a") == Record("", 1)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"run": "x"}', '{"run": 1, "exit_code": 0}'])
def test_a_record_that_is_damaged_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "a.json").write_text(content)
    assert read_record(tmp_path, "a") is None


@pytest.mark.parametrize(("exit_code", "expected"), [(0, False), (1, True), (None, True)])
def test_an_attempt_without_success_has_failed_in_part_if_its_files_are_there_and_older(
    tmp_path: Path, exit_code: int | None, expected: bool
) -> None:
    evidence = (tmp_path / "x", tmp_path / "y")
    for file in evidence:
        assert not has_failed_in_part(tmp_path, "a", evidence)
        file.touch()
    Record("run", exit_code).write(tmp_path, "a")
    assert has_failed_in_part(tmp_path, "a", evidence) == expected
    later = (tmp_path / "steps" / "a.json").stat().st_mtime + 60
    os.utime(tmp_path / "x", (later, later))
    assert not has_failed_in_part(tmp_path, "a", evidence), "somebody has made them since"
