"""What takes long to make is made once, and again where it was not finished or has changed."""

from pathlib import Path

import pytest

from tests import kept_folder as module
from tests.kept_folder import kept_folder


class Stopped(BaseException):
    """Stands for a signal that ends the process."""


@pytest.fixture
def config(pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.Config:
    """Of this run, with a cache of its own."""
    monkeypatch.setattr(pytestconfig.cache, "_cachedir", tmp_path)
    return pytestconfig


def test_a_folder_is_made_once_until_what_it_depends_on_changes(
    config: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").touch()

    for _ in range(2):
        folder = kept_folder(config, "name", make)
        assert (folder / "file").is_file()
    assert made == [folder]
    monkeypatch.setattr(module, "fingerprint", lambda: "of other sources")
    assert kept_folder(config, "name", make) == folder
    assert len(made) == 2


def test_a_folder_whose_making_was_stopped_is_made_again_from_nothing(config: pytest.Config) -> None:
    def stop(folder: Path) -> None:
        (folder / "half").touch()
        raise Stopped

    with pytest.raises(Stopped):
        kept_folder(config, "name", stop)
    folder = kept_folder(config, "name", lambda folder: (folder / "whole").touch())
    assert {file.name for file in folder.iterdir()} == {"whole", "made_from.txt"}


def test_processes_agree_on_it_whatever_they_have_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing setuptools adds a folder of libraries to the path; the folder would be made again under the other."""
    before = module.fingerprint.__wrapped__()
    (tmp_path / "other-1.0.dist-info").mkdir()
    (tmp_path / "other-1.0.dist-info" / "METADATA").write_text("Name: other\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert module.fingerprint.__wrapped__() == before
