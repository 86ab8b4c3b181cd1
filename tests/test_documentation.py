"""The documentation's pages that are made from the code, its pictures and its quick notebook.

`mkdocs build --strict`, which `.ci/run` calls, finds pages that the navigation leaves out and links that lead nowhere.
"""

import importlib
import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from docs.site_hooks import command_reference, python_reference, result_classes
from nnunetv2_adamss.networks.stages import Stages
from tests.run_notebook import outputs, run_notebook, stored_cells
from tests.test_architecture import REPOSITORY
from tests.test_public_names import NAMES

DOCS = REPOSITORY / "docs"
QUICK = "evaluate_predictions.ipynb"
_NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")


def test_every_command_is_in_the_reference_with_its_help() -> None:
    commands = [script.name for script in entry_points(group="console_scripts") if "adamss" in script.name]
    _, *sections = re.split(r"^## ", command_reference(), flags=re.MULTILINE)
    assert sorted(section.split("\n")[0] for section in sections) == sorted(commands)
    assert all("usage: " in section for section in sections)


def test_every_public_name_is_in_the_reference() -> None:
    assert sorted(re.findall(r"^::: nnunetv2_adamss\.(\w+)$", python_reference(), re.MULTILINE)) == NAMES


def test_every_result_of_a_public_function_is_in_the_reference_with_all_its_attributes() -> None:
    results = python_reference().split("\n## Results\n")[1]
    shown = re.findall(r"^::: ([\w.]+)\n    options:\n      heading_level: 3$", results, re.MULTILINE)
    assert shown == [f"{one.__module__}.{one.__qualname__}" for one in result_classes()]
    assert {"Concordance", "UnoC", "HorizonAuc", "PairEstimate", "BrierScore", "Calibration", "RiskBin", "Estimate",
            "SurvivalTable", "PhantomCohort"} <= {one.__name__ for one in result_classes()}  # fmt: skip
    for one in result_classes():
        own = [part for part in one.__annotations__ if not part.startswith("_")]
        assert all(f"{part}: " in (one.__doc__ or "") for part in own), one


def test_every_picture_is_small_and_is_shown_with_a_description() -> None:
    pages = "\n".join(page.read_text() for page in DOCS.rglob("*.md"))
    described = dict.fromkeys(
        Path(target).name for text, target in re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", pages) if len(text) > 20
    )
    pictures = sorted((DOCS / "pictures").glob("*.png"))
    assert sorted(described) == [picture.name for picture in pictures]
    assert all(picture.stat().st_size < 150_000 for picture in pictures)


@pytest.mark.slow
def test_the_pictures_that_need_no_training_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    made = importlib.import_module("make_pictures")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    monkeypatch.setattr(made, "PICTURES", pictures)
    made.picture_predictions(tmp_path)
    made.picture_network(Stages([[1, 1, 1], [2, 2, 2], [2, 2, 2]], [[3, 3, 3]] * 3), tmp_path)
    assert sorted(file.stem for file in pictures.iterdir()) == [
        "calibration",
        "kaplan_meier",
        "network",
        "survival_calibration",
    ]


def test_the_notebook_on_predictions_of_any_tool_shows_what_it_shows_when_it_is_run(tmp_path: Path) -> None:
    """Within a hundredth, since other versions of libraries round differently."""
    shown, found = outputs(stored_cells(QUICK)), outputs(run_notebook(QUICK, tmp_path))
    assert _NUMBER.sub("#", found) == _NUMBER.sub("#", shown)
    numbers = [[float(number) for number in _NUMBER.findall(text)] for text in (found, shown)]
    assert numbers[0] == pytest.approx(numbers[1], rel=0.01, abs=0.01)
