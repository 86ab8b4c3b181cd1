"""A benchmark whose commands pretend."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmark.project import FakeBenchmark, make_benchmark


@pytest.fixture
def benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBenchmark]:
    """Forty patients in two folds; nothing is trained yet."""
    before = signal.getsignal(signal.SIGTERM)
    yield make_benchmark(tmp_path / "project", monkeypatch)
    signal.signal(signal.SIGTERM, before)
