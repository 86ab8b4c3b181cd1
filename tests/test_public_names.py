"""What ``import nnunetv2_adamss`` offers: its names, that they cost nothing, and that their examples are true."""

import ast
import re
from importlib.metadata import version
from pathlib import Path

import pytest

import nnunetv2_adamss as adamss
from tests.fresh_python import output_of
from tests.run_examples import PREDICTION, PYTHON_PAGE, page_parts, run_examples

NAMES = sorted(set(adamss.__all__) - {"__version__"})
# Its example runs where there is a model, in tests/prediction.
NEEDS_A_MODEL = "SurvivalPredictor"


def names_for_type_checkers() -> set[str]:
    tree = ast.parse(Path(adamss.__file__).read_text())
    return {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    } & set(NAMES)


def test_the_import_loads_nothing_but_itself() -> None:
    code = (
        "import sys, nnunetv2_adamss\n"
        "dir(nnunetv2_adamss)\n"
        "heavy = {'numpy', 'pandas', 'torch', 'nnunetv2', 'importlib.metadata'}\n"
        "print(sorted(name for name in sys.modules if name in heavy or name.startswith('nnunetv2_adamss.')))\n"
    )
    assert output_of(code) == "[]"


def test_type_checkers_and_dir_see_every_name() -> None:
    assert names_for_type_checkers() == set(NAMES)
    assert dir(adamss) == sorted(adamss.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_what_type_checkers_think_it_is(name: str) -> None:
    found = getattr(adamss, name)
    assert found.__name__ == name
    assert f"from {found.__module__} import" in Path(adamss.__file__).read_text()


def test_the_version_is_that_of_the_installed_package() -> None:
    assert adamss.__version__ == version("nnunetv2-adamss")


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'nnunetv2_adamss' has no attribute 'harrel_c'"):
        _ = adamss.harrel_c  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(set(NAMES) - {NEEDS_A_MODEL}))
def test_the_example_of_every_name_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_examples(name, getattr(adamss, name).__doc__)


def test_the_example_of_the_package_runs() -> None:
    run_examples(adamss.__name__, adamss.__doc__)


def test_the_examples_of_the_page_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parts = page_parts()
    del parts[PREDICTION]
    run_examples(PYTHON_PAGE.name, "".join(parts.values()))


def test_the_page_lists_every_name() -> None:
    table = [line for line in PYTHON_PAGE.read_text().splitlines() if line.startswith("|")]
    assert set(re.findall(r"`(\w+)`", "".join(table))) == set(NAMES)
