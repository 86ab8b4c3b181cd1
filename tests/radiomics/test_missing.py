"""Radiomics before a training: extracted where they are missing, and what cannot be extracted is said."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nnunetv2_adamss.radiomics import missing
from nnunetv2_adamss.radiomics.extract_cases import ExtractionReport
from nnunetv2_adamss.radiomics.missing import extract_missing_radiomics
from nnunetv2_adamss.survival.config import SurvivalConfig

FOLD: Any = SimpleNamespace(
    plans={"dataset_name": "Dataset001_X", "plans_name": "nnUNetPlans"}, configuration="3d_fullres", number=2
)
SETUP: Any = SimpleNamespace(fold=SimpleNamespace(config=SurvivalConfig(), all_cases=["a", "b"]))


def report(
    notes: dict[str, tuple[str, ...]] | None = None, broken: dict[str, str] | None = None
) -> ExtractionReport:
    return ExtractionReport(Path("radiomics.csv"), 3, 2, 0, notes or {}, broken or {})


class Radiomics:
    """In the place of a fold's radiomics: has them already, or extracts with this outcome."""

    is_there = False
    outcome: ExtractionReport | ValueError

    def __init__(self, *arguments: object) -> None:
        pass

    def is_current(self, case_ids: list[str]) -> bool:
        assert case_ids == ["a", "b"]
        return self.is_there

    def extract(self, case_ids: list[str], **options: object) -> ExtractionReport:
        if isinstance(self.outcome, ValueError):
            raise self.outcome
        return self.outcome


@pytest.fixture
def radiomics(monkeypatch: pytest.MonkeyPatch) -> type[Radiomics]:
    class OfThisTest(Radiomics):
        outcome = ValueError("there is no mask of b.")

    monkeypatch.setattr(missing, "FoldRadiomics", OfThisTest)
    return OfThisTest


def test_what_is_there_is_not_extracted_again(radiomics: type[Radiomics]) -> None:
    radiomics.is_there = True
    extract_missing_radiomics(FOLD, SETUP, "cpu")


def test_what_stops_the_extraction_is_said_with_the_command_that_has_options_for_it(
    radiomics: type[Radiomics],
) -> None:
    sentence = (
        "there is no mask of b. The command adamss_extract_radiomics Dataset001_X 3d_fullres 2 -p nnUNetPlans "
        "--radiomics all has options"
    )
    with pytest.raises(ValueError, match=sentence):
        extract_missing_radiomics(FOLD, SETUP, "cpu")


def test_a_case_without_radiomics_stops_the_training(radiomics: type[Radiomics]) -> None:
    radiomics.outcome = report(broken={"b": "its PET cannot be read"})
    with pytest.raises(ValueError, match=r"1 case\(s\) have no radiomics: b \(its PET cannot be read\)"):
        extract_missing_radiomics(FOLD, SETUP, "cpu")


def test_what_is_unusual_in_a_case_is_logged(
    radiomics: type[Radiomics], caplog: pytest.LogCaptureFixture
) -> None:
    radiomics.outcome = report(notes={"a": ("one voxel", "far away")})
    extract_missing_radiomics(FOLD, SETUP, "cpu")
    assert [record.getMessage() for record in caplog.records] == ["Radiomics of a: one voxel; far away."]
