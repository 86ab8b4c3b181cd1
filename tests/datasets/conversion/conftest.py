"""Phantoms on separate grids, written once, and cohorts of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.datasets.conversion.layouts import LAYOUTS, write_phantoms
from tests.datasets.conversion.manifest_cohort import ManifestCohort, write_manifest
from tests.datasets.conversion.published import Published


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the phantoms' scans, each on its own grid."""
    return write_phantoms(tmp_path_factory.mktemp("phantoms"))


@pytest.fixture
def publish(native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str], Published]:
    """Writes a small cohort in one of the public layouts."""

    def write(layout: str) -> Published:
        LAYOUTS[layout](native, tmp_path / "source")
        return Published(layout, tmp_path / "source", tmp_path, capsys)

    return write


@pytest.fixture
def cohort(native: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> ManifestCohort:
    """Four phantoms in a manifest, one of them without a mask and one without an outcome."""
    return ManifestCohort(write_manifest(native, tmp_path / "cohort.csv"), tmp_path, capsys)
