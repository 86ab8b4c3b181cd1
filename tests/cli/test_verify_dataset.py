"""The command that checks images and survival table together."""

import json
import shutil
from pathlib import Path

import pytest

from nnunetv2_adamss.cli import verify_dataset
from tests.nnunet_project import NnunetProject

# nnU-Net lists a data set's files in forked processes, which Python from 3.12 on warns about.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

ROWS = [f"case_{i},{100 + i},{i % 2},{'' if i == 3 else 50 + i},{'AB'[i % 2]}" for i in range(6)]


def write_table(folder: Path, rows: list[str]) -> str:
    file = folder / "survival.csv"
    file.write_text("\n".join(["case_id,time,event,age,centre", *rows]) + "\n")
    return str(file)


@pytest.fixture
def unchecked_images(nnunet_environment: NnunetProject, monkeypatch: pytest.MonkeyPatch) -> NnunetProject:
    """The tiny project, with nnU-Net's own check, which takes seconds, taken for passed."""
    from nnunetv2.experiment_planning import verify_dataset_integrity as module

    monkeypatch.setattr(module, "verify_dataset_integrity", lambda folder, num_processes: None)
    return nnunet_environment


@pytest.fixture
def broken_images(nnunet_environment: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The raw folder of a copy of the tiny data set whose ``dataset.json`` promises a seventh case."""
    raw = tmp_path / "raw"
    folder = shutil.copytree(nnunet_environment.raw / "Dataset901_Tiny", raw / "Dataset901_Tiny")
    content = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps(content | {"numTraining": 7}))
    monkeypatch.setenv("nnUNet_raw", str(raw))
    return folder


def test_a_sound_data_set_passes_nnunets_check_too_and_is_summarised(
    nnunet_environment: NnunetProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_table(tmp_path, ROWS)
    (tmp_path / "survival.json").write_text('{"endpoint": "death", "group_column": "centre"}')
    assert verify_dataset.main(["-d", "901", "--survival_csv", file, "-np", "1"]) == 0
    out, error = capsys.readouterr()
    assert "verify_dataset_integrity Done" in out and error == ""
    assert out[out.index("Endpoint") :].splitlines() == [
        "Endpoint:          death",
        "Patients:          6",
        "Without outcome:   0",
        "Events:            3",
        "Censored:          50% of the patients with an outcome",
        "Median follow-up:  104 days (reverse Kaplan-Meier)",
        "",
        "Clinical column  type      missing  values",
        "age              number    1        50 to 55",
        "centre           category  0        A (3), B (3)",
        "",
        "Missing values in  all  centre A  centre B",
        "(patients)           6         3         3",
        "age                  1         0         1",
        "centre               0         0         0",
    ]


def test_a_column_that_was_misread_is_seen(
    unchecked_images: NnunetProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "survival.csv"
    sites, ages = ["larynx", "x" * 70, "", "c", "d", "e"], ["50", "60 y", "70 y", "80 y", "90 y", "65 y"]
    rows = [f"case_{i},{i + 1},1,{ages[i]},{sites[i]},{i}" for i in range(6)]
    file.write_text("\n".join(["case_id,time,event,age,site,ecog", *rows]) + "\n")
    (tmp_path / "survival.json").write_text('{"columns": {"ecog": "ordinal"}}')
    assert verify_dataset.main(["-d", "901", "--survival_csv", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[7:12] == [
        "Clinical column  type       missing  values",
        "age              category   0        50 (1), 60 y (1), 65 y (1), 70 y (1), 80 y (1), 90 y (1)",
        f"site             category   1        c (1), d (1), e (1), larynx (1), {'x' * 20}... (70 characters) (1)",
        "ecog             ordinal *  0        0 to 5",
        "* as survival.json says; the others by their cells",
    ]


def test_many_categories_are_counted() -> None:
    from nnunetv2_adamss.survival.cohort.cohort_summary import ColumnSummary

    column = ColumnSummary("site", "category", False, 0, None, None, {f"s{i}": 9 - i for i in range(8)})
    assert verify_dataset._values(column).endswith("s4 (5), s5 (4), and 2 more")


def test_the_table_is_looked_for_in_the_raw_folder(
    unchecked_images: NnunetProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify_dataset.main(["-d", "Dataset901_Tiny"]) == 2
    file = unchecked_images.raw / "Dataset901_Tiny" / "survival.csv"
    assert capsys.readouterr().err == f"adamss_verify_dataset: {file}: the file does not exist.\n"


def test_rows_and_images_must_belong_together(
    unchecked_images: NnunetProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_table(tmp_path, [*ROWS[:5], "case_7,1,1,50,A"])
    assert verify_dataset.main(["-d", "901", "--survival_csv", file]) == 2
    error = capsys.readouterr().err
    assert f"{file} has 2 faults:\n" in error
    assert "- column 'case_id' has cases without an image: row 7 'case_7'.\n" in error
    assert "- cases with an image have no row: case_5.\n" in error


def test_follow_up_without_a_median_and_a_table_of_outcomes_alone_are_said(
    unchecked_images: NnunetProject, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "outcomes.csv"
    file.write_text("case_id,time,event\n" + "".join(f"case_{i},{i + 1},1\n" for i in range(6)))
    assert verify_dataset.main(["-d", "901", "--survival_csv", str(file)]) == 0
    out = capsys.readouterr().out
    assert "Median follow-up:  not reached" in out and out.endswith("Clinical columns:  none\n")


def test_faults_of_images_and_table_are_both_said(
    broken_images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_table(tmp_path, ["case_0,0,1,50,A", *ROWS[1:]])
    assert verify_dataset.main(["-d", "901", "--survival_csv", file]) == 2
    out, error = capsys.readouterr()
    assert "nnU-Net's check of the images failed: Did not find the expected number" in error
    assert "column 'time' must be a finite number above 0: row 2 '0'" in error
    assert "Patients" not in out


def test_a_sound_table_is_summarised_even_where_images_have_faults(
    broken_images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (broken_images / "dataset.json").unlink()
    write_table(broken_images, ROWS)
    assert verify_dataset.main(["-d", "901"]) == 2
    out, error = capsys.readouterr()
    assert "There needs to be a dataset.json file" in error and "Patients:          6" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-d", "77"], "'77' is neither the name nor the id of one data set in nnUNet_raw"),
        (["-d", "sarcoma"], "'sarcoma' is neither the name nor the id"),
        (["-d", "Dataset077_None"], "There is no raw data set"),
    ],
)
def test_a_users_error_is_one_sentence_and_exit_code_two(
    nnunet_environment: NnunetProject, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify_dataset.main(options) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_variable_that_is_not_set_is_named(
    nnunet_environment: NnunetProject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("nnUNet_raw")
    assert verify_dataset.main(["-d", "901"]) == 2
    assert "The variable nnUNet_raw is not set" in capsys.readouterr().err
