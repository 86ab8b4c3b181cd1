"""Folders that take long to make: made once for all processes of a run, and kept for the next runs."""

import hashlib
import shutil
import sysconfig
from collections.abc import Callable
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import pytest
from filelock import FileLock

REPOSITORY = Path(__file__).parents[1]


def kept_folder(config: pytest.Config, name: str, make: Callable[[Path], object]) -> Path:
    """A folder below pytest's cache that ``make`` has filled, in this run or in an earlier one.

    It is made again once the package, what the tests share or an installed library has changed. Nothing may be
    written into it, since other processes read it: tests get copies.

    Args:
        config: of the run, which knows where pytest's cache is.
        name: of the folder.
        make: fills a new folder; whatever it leaves may not depend on where that is.
    """
    folder = config.cache.mkdir("adamss") / name  # type: ignore[union-attr]
    made_from = folder / "made_from.txt"
    # filelock's exclusive lock is enough here.
    with FileLock(folder.with_suffix(".lock")):
        if not made_from.is_file() or made_from.read_text() != fingerprint():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            # Written last, so that a folder whose making was stopped is made again.
            made_from.write_text(fingerprint())
    return folder


@cache
def fingerprint() -> str:
    """A hash of all that kept folders depend on."""
    sources = [
        *(file for file in REPOSITORY.glob("nnunetv2_adamss/**/*") if file.suffix in (".py", ".yaml")),
        *(file for file in REPOSITORY.glob("tests/**/*.py") if not file.name.startswith("test_")),
    ]
    # Not of sys.path: setuptools adds its own copies of libraries to it in processes that import it.
    paths = sysconfig.get_paths()
    installed = distributions(path=[paths["purelib"], paths["platlib"]])
    libraries = {f"{one.name} {one.version}" for one in installed}
    content = hashlib.sha256("\n".join(sorted(libraries)).encode())
    for file in sorted(sources):
        content.update(file.read_bytes())
    return content.hexdigest()
