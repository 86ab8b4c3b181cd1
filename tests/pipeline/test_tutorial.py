"""The tutorial from a synthetic cohort to a report, with trainings of a few iterations."""

from pathlib import Path

import pytest

from tests.run_notebook import outputs, run_notebook

QUICK_SCHEDULES = Path(__file__).with_name("quick_schedules")


@pytest.mark.slow
def test_the_tutorial_runs_to_its_report(tmp_path: Path) -> None:
    text = outputs(run_notebook("phantom_to_report.ipynb", tmp_path, nnUNet_extTrainer=str(QUICK_SCHEDULES)))
    assert "8 patient(s) predicted" in text
    report = (tmp_path / "tutorial" / "report.html").read_text()
    assert "phantomtest000" in report
    assert "gate" in report
