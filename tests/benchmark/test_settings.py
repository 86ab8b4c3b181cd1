"""The settings of a benchmark: one set a folder, whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from nnunetv2_adamss.benchmark import settings
from nnunetv2_adamss.benchmark.settings import SETTINGS_FILE, BenchmarkSettings


def test_of_many_that_begin_at_once_those_with_other_settings_are_refused(tmp_path: Path) -> None:
    barrier = Barrier(8)

    def save(number: int) -> int | None:
        barrier.wait()
        try:
            BenchmarkSettings("Dataset007_X", "3d_fullres", epochs=number % 2 + 1).save(tmp_path / "OUT")
        except ValueError:
            return None
        return number % 2

    with ThreadPoolExecutor(8) as threads:
        saved = [epochs for epochs in threads.map(save, range(8)) if epochs is not None]
    assert len(saved) == 4 and len(set(saved)) == 1
    assert [file.name for file in (tmp_path / "OUT").iterdir()] == [SETTINGS_FILE]


def test_an_empty_file_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_SECONDS_TO_WRITE", 0)
    (tmp_path / SETTINGS_FILE).touch()
    with pytest.raises(ValueError, match=r"settings\.json is empty"):
        BenchmarkSettings("Dataset007_X", "3d_fullres").save(tmp_path)


@pytest.mark.parametrize("content", ["[1]", '"x"', "{}", '{"python.linting": true}', "{ // commented\n}"])
def test_settings_of_another_program_are_no_benchmarks(tmp_path: Path, content: str) -> None:
    (tmp_path / SETTINGS_FILE).write_text(content)
    with pytest.raises(ValueError, match=r"settings\.json (is not of a benchmark|cannot be read as JSON)"):
        BenchmarkSettings("Dataset007_X", "3d_fullres").check(tmp_path)
