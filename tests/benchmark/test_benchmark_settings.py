"""The settings of a benchmark: one set a folder, whoever comes first."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from nnunetv2_adamss.benchmark.benchmark_settings import SETTINGS_FILE, BenchmarkSettings


def test_of_many_that_begin_together_those_with_other_settings_are_refused(tmp_path: Path) -> None:
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


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"folds": (0,)}, {"folds": (0, 1, 2)}),
        ({"seeds": (2024, 7)}, {"seeds": (2024, 3, 7)}),
        ({}, {"test": "Dataset008_Y"}),
    ],
)
def test_folds_further_seeds_and_a_test_set_may_be_added_but_not_be_taken_away(
    tmp_path: Path, before: dict[str, Any], now: dict[str, Any]
) -> None:
    small, grown = (BenchmarkSettings("Dataset007_X", "3d_fullres", **values) for values in (before, now))
    for settings in (small, grown, grown):
        settings.save(tmp_path)
        assert json.loads((tmp_path / SETTINGS_FILE).read_text()) == settings.to_dict()
    with pytest.raises(ValueError, match=f"{next(iter(now))} was "):
        small.check(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [SETTINGS_FILE]


@pytest.mark.parametrize(
    "changes",
    [{"seeds": (7, 2024)}, {"test": "Dataset009_Z"}, {"epochs": 3}, {"masks": {"mirroring": False}}],
)
def test_what_would_change_results_that_are_there_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    BenchmarkSettings("Dataset007_X", "3d_fullres", test="Dataset008_Y").save(tmp_path)
    changed = BenchmarkSettings("Dataset007_X", "3d_fullres", **({"test": "Dataset008_Y"} | changes))
    with pytest.raises(ValueError, match=f"other settings: {next(iter(changes))} was "):
        changed.save(tmp_path)


@pytest.mark.parametrize("content", ["", "[1]", '"x"', "{}", '{"python.linting": true}', "{ // commented\n}"])
def test_settings_of_another_program_are_no_benchmarks(tmp_path: Path, content: str) -> None:
    (tmp_path / SETTINGS_FILE).write_text(content)
    with pytest.raises(
        ValueError, match=r"settings\.json (is not of a benchmark|cannot be read as JSON|holds a)"
    ):
        BenchmarkSettings("Dataset007_X", "3d_fullres").check(tmp_path)
