"""What version 0.1.0 has trained, fitted and written still works, with the same numbers.

The project in the archive was made by the code of 0.1.0 (``project_of_0_1_0/make.py``), and so were the answers in it.
"""

import json
import re
import shutil
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import SimpleITK as sitk
import torch

from tests.pipeline.project_of_0_1_0.commands import (
    ARCHIVE,
    CALIBRATED,
    KILLED_FOLD,
    PREDICTIONS,
    PUBLISHED_TRAINERS,
    STATISTICAL_METHODS,
    TRAINER,
    ProjectOf010,
)

pytestmark = pytest.mark.slow

# What another processor, which sums in another order, makes of the same numbers.
TOLERANCE = 1e-5
N_EPOCHS = 6
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[ProjectOf010]:
    """The project as 0.1.0 left it, in another place."""
    root = tmp_path / "moved"
    with tarfile.open(ARCHIVE) as tar:
        tar.extractall(root, filter="data")
    yield ProjectOf010.below(root)
    # 80 MB for every test.
    shutil.rmtree(root)


def assert_same_tables(found: Path, expected: Path) -> None:
    """The same patients, columns, words and numbers."""
    pd.testing.assert_frame_equal(
        pd.read_csv(found), pd.read_csv(expected), rtol=TOLERANCE, atol=TOLERANCE, check_exact=False
    )


def test_a_killed_training_continues_and_ends_as_with_0_1_0(project: ProjectOf010) -> None:
    folder = project.fold(KILLED_FOLD)
    done = torch.load(folder / "checkpoint_latest.pth", weights_only=True)["current_epoch"]
    logs = set(folder.glob("training_log*"))

    project.train(KILLED_FOLD, "--c")

    (log,) = set(folder.glob("training_log*")) - logs
    assert [int(epoch) for epoch in re.findall(r"Epoch (\d+)", log.read_text())] == list(
        range(done, N_EPOCHS)
    )
    assert (folder / "checkpoint_final.pth").is_file() and not (folder / "checkpoint_latest.pth").is_file()
    for expected in (project.answers / "resumed").glob("*.csv"):
        assert_same_tables(folder / "validation" / expected.name, expected)


@pytest.mark.parametrize("trainer", [TRAINER, *PUBLISHED_TRAINERS])
def test_validation_cases_are_predicted_again_as_by_0_1_0(project: ProjectOf010, trainer: str) -> None:
    folder = project.fold("0", trainer) / "validation"
    expected = folder.rename(folder.with_name("validation_of_0_1_0"))
    project.train("0", "--val", trainer=trainer)
    names = [file.name for file in expected.glob("survival_predictions*.csv")]
    assert "survival_predictions.csv" in names
    for name in names:
        assert_same_tables(folder / name, expected / name)


def test_calibrating_it_again_finds_the_same_slope_and_adds_what_corrects_the_folds_together(
    project: ProjectOf010,
) -> None:
    """Predictions below are calibrated by the file of 0.1.0."""
    written = project.fold("0").with_name("survival_calibration.json")
    before = json.loads(written.read_text())
    project.calibrate()
    for checkpoint, again in json.loads(written.read_text()).items():
        assert again.pop("ensemble")
        again.pop("logit_limits")
        assert before[checkpoint].pop("version") != again.pop("version")
        assert_same(again, before[checkpoint])


def test_its_evaluation_has_the_same_numbers(project: ProjectOf010, tmp_path: Path) -> None:
    project.evaluate(tmp_path / "evaluation")
    found, expected = (
        json.loads((folder / "metrics.json").read_text())
        for folder in (tmp_path / "evaluation", project.answers / "evaluation")
    )
    # Versions, and hashes by files' paths.
    del found["provenance"], expected["provenance"]
    # An AUC needs 10 patients on both sides now.
    del found["auc"], expected["auc"]
    assert_same(without_intervals(found), without_intervals(expected))


@pytest.mark.parametrize("name", PREDICTIONS)
def test_it_predicts_new_patients_with_the_same_masks_risks_and_curves(
    project: ProjectOf010, tmp_path: Path, name: str
) -> None:
    found, expected = tmp_path / "out", project.answers / name
    project.predict(name, found)
    for table in expected.glob("*.csv"):
        assert_same_tables(found / table.name, table)
    for mask in (expected / "masks").glob("*.nii.gz"):
        ours, theirs = (
            sitk.GetArrayFromImage(sitk.ReadImage(str(f / "masks" / mask.name))) for f in (found, expected)
        )
        assert theirs.any() and (ours == theirs).all()


@pytest.mark.parametrize("method", STATISTICAL_METHODS)
def test_a_fitted_statistical_method_predicts_the_same_risks(
    project: ProjectOf010, tmp_path: Path, method: str
) -> None:
    project.predict_statistical(method, tmp_path / "risk.csv")
    assert_same_tables(tmp_path / "risk.csv", project.answers / f"{method}.csv")


def test_its_report_has_the_same_numbers(project: ProjectOf010, tmp_path: Path) -> None:
    """All those of 0.1.0 but intervals, as often; some have more digits now, and others stand beside them."""
    # The prediction names the place of its images, which has moved.
    provenance = project.answers / CALIBRATED / "prediction.json"
    content = json.loads(provenance.read_text()) | {"images": str(project.raw / "imagesTs")}
    provenance.write_text(json.dumps(content))
    project.report(project.answers / CALIBRATED, tmp_path / "report.html")
    found = numbers(text_of(tmp_path / "report.html"))
    # Intervals as it wrote them, and its reasons why there is none; both have changed for few events. Pictures had the
    # mask's volume below them, which a table has now with fewer digits, and one slice, where there are three now.
    changed = (
        r"\(?-?[\d.]+ to -?[\d.]+\)?|only \d+ comparable pairs, at least 30|"
        r"Axial slice \d+ of \d+ from the feet|volume is [\d.]+ ml"
    )
    expected = Counter(NUMBER.findall(re.sub(changed, "", text_of(project.answers / "report.html"))))
    # An AUC of fewer than 10 patients on one side, which is not estimated any more.
    del expected["0.677"]
    assert expected.total() > 100
    for number, count in expected.items():
        digits = len(number.partition(".")[2])
        assert sum(round(one, digits) == float(number) for one in found) >= count, number


class _Text(HTMLParser):
    """The text that a reader sees, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._hidden = False

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self._hidden = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden and data.strip():
            self.lines.append(data.strip())


def text_of(file: Path) -> str:
    """Of an HTML file, without the version that wrote it and without paths."""
    parser = _Text()
    parser.feed(file.read_text())
    return without_paths("\n".join(line for line in parser.lines if not line.startswith("nnunetv2-adamss")))


def without_paths(text: str) -> str:
    return re.sub(r"/\S+", "", text)


def without_intervals(content: Any) -> Any:
    """Without the version, and without intervals and P values, which are wider than 0.1.0's where events are few."""
    if isinstance(content, Mapping):
        return {
            name: without_intervals(value)
            for name, value in content.items()
            if name not in ("interval", "reason", "p_value", "p_value_holm", "is_bound", "version")
        }
    return [without_intervals(one) for one in content] if isinstance(content, list) else content


def numbers(text: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(text)]


def assert_same(found: Any, expected: Any, where: str = "") -> None:
    """The same plain data; numbers may differ in what another processor makes of them."""
    if isinstance(expected, Mapping):
        assert found.keys() == expected.keys(), where
        for name, value in expected.items():
            assert_same(found[name], value, f"{where}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for i, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(one, other, f"{where}[{i}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE, nan_ok=True), where
    else:
        assert found == expected, where
