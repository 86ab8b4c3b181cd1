"""The command: its help, its summary, and how it says what is wrong."""

import json
from pathlib import Path

import pytest

from nnunetv2_adamss.cli import make_phantom_dataset
from nnunetv2_adamss.datasets.phantom import SIGNALS

SMALL = [
    "-n",
    "2",
    "--n_test",
    "1",
    "--shape",
    "32",
    "32",
    "32",
    "--spacing",
    "5",
    "5",
    "5",
    "-np",
    "1",
]


def test_the_help_explains_every_signal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        make_phantom_dataset.main(["--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in SIGNALS)


def test_the_command_offers_the_signals_that_the_package_has() -> None:
    assert make_phantom_dataset._SIGNALS == SIGNALS


def test_the_command_writes_into_nnunets_raw_folder_and_ends_with_a_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("nnUNet_raw", str(tmp_path))
    assert make_phantom_dataset.main([*SMALL, "-d", "12", "--name", "Nodes", "--signals", "n_nodes"]) == 0
    folder = tmp_path / "Dataset012_Nodes"
    assert json.loads((folder / "phantom.json").read_text())["config"]["signals_on"] == ["n_nodes"]
    out = capsys.readouterr().out
    assert "oracle C-index" in out and str(folder) in out


def test_a_null_cohort_has_no_signal_on(tmp_path: Path) -> None:
    assert make_phantom_dataset.main([*SMALL, "-o", str(tmp_path), "--null"]) == 0
    content = json.loads((tmp_path / "Dataset990_Phantom" / "phantom.json").read_text())
    assert content["config"]["signals_on"] == []


def test_an_effect_is_the_size_of_every_log_hazard_ratio(tmp_path: Path) -> None:
    assert make_phantom_dataset.main([*SMALL, "-o", str(tmp_path), "--effect", "1.5"]) == 0
    content = json.loads((tmp_path / "Dataset990_Phantom" / "phantom.json").read_text())
    expected = {name: -1.5 if name == "hpv" else 1.5 for name in SIGNALS}
    assert content["config"]["log_hazard_ratio"] == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "RAW", "--effect", "nan"], "log_hazard_ratio (--effect) of 'volume' is nan"),
        ([], "set the variable nnUNet_raw or give a folder with -o"),
        (["-o", "RAW", "-n", "0"], "n_training is 0, expected at least 1"),
        (["-o", "RAW", "-d", "5"], "id of Dataset005_Phantom is taken by"),
    ],
)
def test_a_users_error_is_one_sentence_and_exit_code_two(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("nnUNet_raw", raising=False)
    (tmp_path / "Dataset005_Other").mkdir()
    argv = [str(tmp_path) if option == "RAW" else option for option in options]
    assert make_phantom_dataset.main(argv) == 2
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error and error.count("\n") == 1
