"""The command that writes the report."""

import shutil

import pytest

from nnunetv2_adamss.cli import report
from nnunetv2_adamss.report.write_report import DEFAULT_VALIDATION_PATIENTS
from tests.finished_project import model_folder
from tests.nnunet_project import NnunetProject


def test_the_help_says_how_many_patients_have_a_page() -> None:
    assert f"default: {DEFAULT_VALIDATION_PATIENTS} validation" in report.build_parser().format_help()


def test_the_report_lies_in_the_models_folder_unless_said_otherwise(
    finished_copy: NnunetProject,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert report.main(["-d", "903", "-c", "3d_fullres", "--max_patients", "0"]) == 0
    file = model_folder(finished_copy) / "report.html"
    assert str(file) in capsys.readouterr().out
    other = finished_copy.root / "new" / "other.html"
    assert (
        report.main(
            [
                "-d",
                "903",
                "-c",
                "3d_fullres",
                "-f",
                "0",
                "--predictions",
                str(finished_copy.root / "OUT"),
                "--max_patients",
                "1",
                "-o",
                str(other),
            ]
        )
        == 0
    )
    assert "not in it: 1, 2" in other.read_text()
    assert "1 of 4 patients, those of the highest risk" in other.read_text()


def test_without_a_browser_pdfs_are_refused_before_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert report.main(["-d", "0", "-c", "nowhere", "--pdf", "pdfs"]) == 2
    assert "install Chromium" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-d", "903", "-c", "3d_fullres", "-f", "0", "7"], "Fold 7 of"),
        (
            ["-d", "903", "-c", "3d_fullres", "-tr", "AdaMSSSurvTrainer_Unknown"],
            "There are AdaMSSSurvTrainer__nnUNetPlans__3d_fullres",
        ),
        (["-d", "903", "-c", "3d_fullres", "--predictions", "nowhere"], "There is no folder nowhere."),
        (["-d", "904", "-c", "3d_fullres"], "'904' is neither the name nor the id"),
    ],
)
def test_what_is_not_there_is_one_sentence_and_exit_code_two(
    finished_copy: NnunetProject,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    assert report.main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-f", "one"], "-f takes numbers, or all by itself, not one"),
        (["-f", "0", "all"], "-f takes numbers, or all by itself, not 0 all"),
        (["--survival_csv", "survival.csv"], "goes with --predictions"),
        (["--max_patients", "-1"], "must be at least 0"),
    ],
)
def test_impossible_options_are_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    with pytest.raises(SystemExit):
        report.main(["-d", "903", "-c", "3d_fullres", *arguments])
    assert words in capsys.readouterr().err
