"""Phantoms on separate grids, written once."""

from pathlib import Path

import pytest

from tests.datasets.conversion.layouts import write_phantoms


@pytest.fixture(scope="session")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the phantoms' scans, each on its own grid."""
    return write_phantoms(tmp_path_factory.mktemp("phantoms"))
