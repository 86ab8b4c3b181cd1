"""The demo, which is the first command that README shows, at a reduced size."""

import json
import re
from pathlib import Path

import pytest

from tests.nnunet_project import run_command

QUICK_SCHEDULES = Path(__file__).with_name("quick_schedules")


def run_demo(folder: Path, **environment: str) -> str:
    """All that the demo prints; variables of nnU-Net that a user has set are not its own."""
    arguments = ["-o", str(folder), "-n", "12", "--n_test", "3", "-device", "cpu"]
    return run_command("adamss_demo", *arguments, environment={"nnUNet_raw": "/nonexistent", **environment})


def check_what_it_leaves(folder: Path, output: str) -> None:
    assert output.count("\n$ ") == 14
    assert len(list((folder / "prediction" / "masks").glob("*.nii.gz"))) == 3
    assert (folder / "held_out_cases.png").stat().st_size > 10_000
    tables = list(folder.rglob("radiomics_first_order_predicted.csv"))
    assert len(tables[0].read_text().splitlines()) == 1 + 12
    validated = list(folder.rglob("validation/survival_predictions.csv"))
    assert len(validated[0].read_text().splitlines()) == 1 + 4
    predicted = folder / "prediction" / "survival_predictions.csv"
    assert len(predicted.read_text().splitlines()) == 1 + 3
    assert json.loads((folder / "evaluation" / "metrics.json").read_text())["cohort"]["n_patients"] == 3
    report = (folder / "report.html").read_text()
    assert "phantomtest000" in report
    assert "gate" in report
    for name in ("AdaMSS", "tumour volume alone", "the true risk"):
        c_index, pairs = re.findall(rf"^{name} +([01]\.\d{{3}}) .* (\d+)$", output, re.MULTILINE)[0]
        assert 0 <= float(c_index) <= 1
        assert int(pairs) > 0


@pytest.mark.slow
def test_the_demo_ends_with_masks_survival_of_held_out_patients_tables_and_a_report(tmp_path: Path) -> None:
    """With trainings of a few iterations, which teach little."""
    folder, schedules = tmp_path / "demo", {"nnUNet_extTrainer": str(QUICK_SCHEDULES)}
    check_what_it_leaves(folder, run_demo(folder, **schedules))
    assert run_demo(folder, **schedules).count("done before") == 14


@pytest.mark.long
def test_the_demo_with_its_own_schedules_segments_better_than_a_guess_without_the_image(
    tmp_path: Path,
) -> None:
    output = run_demo(tmp_path / "demo")
    check_what_it_leaves(tmp_path / "demo", output)
    dice = {
        name: float(mean)
        for name, mean in re.findall(r"^(\w[\w ,]*?) +([01]\.\d{3}) +[01]\.\d{3}", output, re.MULTILINE)
    }
    assert dice["all tumour"] > dice["all tumour, guessed without the image"]
