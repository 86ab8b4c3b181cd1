"""The command from the first step to the tables, with commands that pretend to train."""

import json
import os
import shutil
import signal
import subprocess
import sys
from threading import Thread
from time import time

import pandas as pd
import pytest
import torch

from nnunetv2_adamss.cli import benchmark as command
from nnunetv2_adamss.common.file_locks import lock_file
from tests.benchmark.project import DATASET, FOLDS, FakeBenchmark, make_test_set
from tests.processes import wait_until

# Snakemake starts a process for each of hundreds of steps; tests/benchmark/ has fast tests of plans, steps and tables.
pytestmark = pytest.mark.slow
# One network beside the baselines, no fold needs another: five commands a fold.
_SMALL = ("--methods", "two_stage", "--mask_source", "predicted")
_TRAINER = "AdaMSSSurvTrainer_NoRadiomics"


def test_everything_is_trained_once_and_stands_in_the_tables(
    snakemake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--methods", "adamss", "icare", "table2", "-np", "3")
    assert command.main(snakemake_benchmark.arguments(*options)) == 0
    calls = snakemake_benchmark.calls()
    assert len(set(calls)) == len(calls)
    first = pd.read_csv(snakemake_benchmark.output / "table_1.csv", index_col="method")
    assert list(first.index) == ["icare", "adamss", "covariates_cox", "tumour_volume", "suv_max"]
    assert first["c_index"].to_dict() == {
        "icare": 1, "adamss": 1, "covariates_cox": 1, "tumour_volume": 1, "suv_max": 0
    }  # fmt: skip
    assert (first["n_pairs"] == 2 * 190).all()
    second = pd.read_csv(snakemake_benchmark.output / "table_2.csv", index_col="method")
    assert list(second.index[:4]) == ["segmentation_only", "survival_only", "multi_task", "two_stage"]
    assert second.loc["segmentation_only", "dice"] == 1
    assert not (snakemake_benchmark.output / "table_3.csv").exists()
    fourth = pd.read_csv(snakemake_benchmark.output / "table_4.csv")
    assert fourth["stage_two"].tolist() == [0.25, 0.75]
    assert "0.745; 0.671" not in capsys.readouterr().out  # Lasso-CoxPH was not asked for

    assert command.main(snakemake_benchmark.arguments(*options)) == 0
    assert snakemake_benchmark.calls() == calls


def test_a_dry_run_says_what_would_run_and_writes_nothing(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(fake_benchmark.project.root.rglob("*"))
    assert command.main(fake_benchmark.arguments(*_SMALL, "--dry_run")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sorted(fake_benchmark.project.root.rglob("*")) == before
    assert lines[0].split()[:2] == ["to", "do"] and lines[0].endswith("AdaMSSSegTrainer fold 0")
    assert f"to do       {_TRAINER} fold 1   after AdaMSSSegTrainer fold 1, TumourVolume fold 1" in lines
    assert lines[-1] == "0 of 14 steps are done."


def test_a_dry_run_says_what_is_done_and_what_is_not_needed_any_more(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(fake_benchmark.arguments(*_SMALL, "-f", "0", "--steps_only")) == 0
    capsys.readouterr()
    assert command.main(fake_benchmark.arguments(*_SMALL, "--dry_run")) == 0
    lines = capsys.readouterr().out.splitlines()
    # Stage I and radiomics of fold 0.
    assert sum(line.startswith("not needed") for line in lines) == 2
    assert sum(line.startswith("done") for line in lines) == 5
    assert lines[-1] == "5 of 12 steps are done."


def test_a_failed_step_is_reported_with_its_last_lines_and_the_others_continue(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_benchmark.knob("fail", "adamss_extract_radiomics")
    assert command.main(fake_benchmark.arguments(*_SMALL, "-f", "0")) == 1
    out, error = capsys.readouterr()
    assert "FAILED: radiomics of predicted masks, fold 0: it ended with exit code 3; see " in error
    assert "    this went wrong\n" in error
    assert "left out: CovariatesCox fold 0, since it needs radiomics of predicted masks, fold 0" in error
    assert f"{_TRAINER}" in " ".join(fake_benchmark.calls())
    assert "Cox model on the covariates, C-index: not finished: fold 0." in out
    fake_benchmark.knob("fail", "")
    assert command.main(fake_benchmark.arguments(*_SMALL, "-f", "0")) == 0
    assert [call.split()[0] for call in fake_benchmark.calls()[-2:]] == [
        "adamss_extract_radiomics", "adamss_fit_statistical"
    ]  # fmt: skip


def test_a_training_that_was_begun_continues_from_its_checkpoint(fake_benchmark: FakeBenchmark) -> None:
    arguments = fake_benchmark.arguments(*_SMALL, "-f", "0", "--steps_only")
    for trainer, name in (("AdaMSSSegTrainer", "checkpoint_best.pth"), (_TRAINER, "checkpoint_latest.pth")):
        folder = fake_benchmark.fold(trainer, 0)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
        (folder / "survival_summary.json").unlink(missing_ok=True)
        assert command.main(arguments) == 0
    going_on = [call.split()[0] for call in fake_benchmark.calls() if call.endswith(" --c")]
    assert going_on == ["nnUNetv2_train", "adamss_finetune_survival"]


def test_a_terminated_benchmark_takes_its_commands_along_and_continues_later(
    snakemake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    snakemake_benchmark.knob("sleep", _TRAINER)
    arguments = snakemake_benchmark.arguments(*_SMALL, "-f", "0", "--steps_only")

    def terminate() -> None:
        wait_until((snakemake_benchmark.fold(_TRAINER, 0) / "checkpoint_latest.pth").is_file)
        os.kill(os.getpid(), signal.SIGTERM)

    killer = Thread(target=terminate, daemon=True)
    killer.start()
    assert command.main(arguments) == 143
    killer.join()
    assert "stopped; run it again to continue." in capsys.readouterr().err
    assert _TRAINER in snakemake_benchmark.calls()[-1]
    wait_until(lambda: not snakemake_benchmark.is_running())
    snakemake_benchmark.knob("go", "")
    assert command.main(arguments) == 0
    trained = [call for call in snakemake_benchmark.calls() if call.startswith("adamss_finetune_survival")]
    assert [call.endswith(" --c") for call in trained] == [False, True]


def test_without_a_gpu_nothing_is_begun(
    fake_benchmark: FakeBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert command.main([*fake_benchmark.arguments(*_SMALL), "-device", "cuda"]) == 2
    assert "add -device cpu to train without one" in capsys.readouterr().err
    assert not fake_benchmark.output.exists()


def test_every_worker_has_its_gpu(
    snakemake_benchmark: FakeBenchmark, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 6)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    arguments = [
        *snakemake_benchmark.arguments(*_SMALL, "--gpus", "3", "5", "--steps_only"),
        "-device",
        "cuda",
    ]
    assert command.main(arguments) == 0
    assert set(snakemake_benchmark.gpus()) == {"3", "5"}


@pytest.mark.parametrize(
    ("visible", "message"),
    [(None, "but this machine has 0, 1, 2, 3"), ("3, 4", "but CUDA_VISIBLE_DEVICES has 3, 4")],
)
def test_a_gpu_that_is_not_there_is_refused_before_anything_runs(
    fake_benchmark: FakeBenchmark,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    visible: str | None,
    message: str,
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 4)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    arguments = [*fake_benchmark.arguments(*_SMALL, "--gpus", "3", "97"), "-device", "cuda"]
    assert command.main(arguments) == 2
    assert f"--gpus names 97, {message}." in capsys.readouterr().err
    assert not fake_benchmark.calls()


def test_a_further_seed_repeats_all_trainings_in_a_folder_of_its_own(fake_benchmark: FakeBenchmark) -> None:
    assert command.main(fake_benchmark.arguments(*_SMALL, "--seeds", "2024", "7")) == 0
    own = fake_benchmark.output / "seed_7" / "nnUNet_results"
    assert {path.name.partition("__")[0] for path in own.glob("*/*")} >= {
        "AdaMSSSegTrainer",
        _TRAINER,
        "SUVmax",
    }
    assert sum("--seed 7" in call for call in fake_benchmark.calls()) == 2 * 4
    table = pd.read_csv(fake_benchmark.output / "table_2.csv", index_col="method")
    assert table.loc["two_stage", ["n_seeds", "c_index_mean_of_seeds", "c_index_sd_of_seeds"]].tolist() == [
        2,
        1,
        0,
    ]


def test_test_patients_are_predicted_once_the_folds_are_trained(fake_benchmark: FakeBenchmark) -> None:
    make_test_set(fake_benchmark.project)
    assert command.main(fake_benchmark.arguments("--methods", "two_stage", "--test", "8")) == 0
    table = pd.read_csv(fake_benchmark.output / "table_2_test.csv", index_col="method")
    # Six of 66 pairs have equal risks, which count half.
    assert table["c_index"].tolist() == pytest.approx([63 / 66] * 4)
    assert table.loc["two_stage", "dice"] == 1
    assert (fake_benchmark.output / "table_2.csv").is_file()


def test_test_patients_who_were_trained_on_are_refused(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    make_test_set(fake_benchmark.project)
    file = fake_benchmark.project.raw / "Dataset008_Test" / "survival.csv"
    file.write_text(f"{file.read_text()}\ncase_07,1,1")
    assert command.main(fake_benchmark.arguments(*_SMALL, "--test", "8")) == 2
    assert "shares 1 case(s) with it: case_07." in capsys.readouterr().err


def test_test_patients_without_a_clinical_column_of_the_others_are_refused(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    make_test_set(fake_benchmark.project)
    file = fake_benchmark.project.raw / DATASET / "survival.csv"
    header, *rows = file.read_text().splitlines()
    with_columns = [f"{header},age,centre", *(f"{row},{50 + i},A" for i, row in enumerate(rows))]
    file.write_text("\n".join(with_columns))
    file.with_name("survival.json").write_text('{"group_column": "centre"}')
    assert command.main(fake_benchmark.arguments(*_SMALL, "--test", "8", "--dry_run")) == 2
    error = capsys.readouterr().err
    assert "lacks clinical columns that methods may use, since the training patients have them: age." in error


def test_other_settings_are_refused_with_both_sides_and_other_methods_and_more_folds_are_not(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(fake_benchmark.arguments(*_SMALL, "-f", "0")) == 0
    assert command.main(fake_benchmark.arguments("--methods", "icare", "-f", "0")) == 0
    calls = fake_benchmark.calls()
    assert command.main(fake_benchmark.arguments(*_SMALL)) == 0
    assert all(" 3d_fullres 1 " in call for call in fake_benchmark.calls()[len(calls) :])
    capsys.readouterr()
    assert command.main(fake_benchmark.arguments(*_SMALL, "-f", "0", "--epochs", "3")) == 2
    error = capsys.readouterr().err
    assert "folds was [0, 1], and now is [0]; epochs was null, and now is 3" in error
    assert len(error.splitlines()) == 1


def test_more_folds_predict_the_test_patients_again(fake_benchmark: FakeBenchmark) -> None:
    make_test_set(fake_benchmark.project)
    # All folds are trained, so that nothing is newer than the prediction by one of them.
    assert command.main(fake_benchmark.arguments(*_SMALL, "--steps_only")) == 0
    (fake_benchmark.output / "settings.json").unlink()
    for folds in (["0"], ["0", "1"]):
        arguments = fake_benchmark.arguments(*_SMALL, "--test", "8", "-f", *folds, "--steps_only")
        assert command.main(arguments) == 0
    by = [call.split(" -f ")[1].split(" -")[0] for call in fake_benchmark.calls() if " -tr AdaMSSSurv" in call
          and call.startswith("adamss_predict_survival")]  # fmt: skip
    assert by == ["0", "0 1"]


@pytest.mark.parametrize("changed", ["outcomes", "their description", "split"])
def test_trainings_of_other_outcomes_or_another_split_are_refused_before_anything_runs(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str], changed: str
) -> None:
    assert command.main(fake_benchmark.arguments(*_SMALL)) == 0
    calls = fake_benchmark.calls()
    if changed == "outcomes":
        file = fake_benchmark.project.raw / DATASET / "survival.csv"
        file.write_text(file.read_text().replace("case_00,1,1", "case_00,1,0"))
        expected = f"of other outcomes: {_TRAINER} fold 0, {_TRAINER} fold 1"
    elif changed == "their description":
        file = fake_benchmark.project.raw / DATASET / "survival.json"
        file.write_text('{"time_unit": "months"}')
        expected = f"of other outcomes: {_TRAINER} fold 0, {_TRAINER} fold 1"
    else:
        file = fake_benchmark.project.preprocessed / DATASET / "splits_final.json"
        file.write_text(json.dumps(json.loads(file.read_text())[::-1]))
        expected = f"of another split: AdaMSSSegTrainer fold 0, {_TRAINER} fold 0, AdaMSSSegTrainer fold 1"
    capsys.readouterr()
    for options in ((), ("--dry_run",)):
        assert command.main(fake_benchmark.arguments(*_SMALL, *options)) == 2
        error = capsys.readouterr().err
        assert expected in error and error.count("\n") == 1
    assert fake_benchmark.calls() == calls


def test_trainings_of_another_stage_one_are_refused_and_those_of_a_copy_are_not(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = fake_benchmark.arguments("--methods", "two_stage", "survival_only", "-f", "0")
    assert command.main(arguments) == 0
    checkpoint = fake_benchmark.fold("AdaMSSSegTrainer", 0) / "checkpoint_best.pth"
    later = time() + 60
    os.utime(checkpoint, (later, later))
    assert command.main(arguments) == 0
    checkpoint.write_text("other weights")
    os.utime(checkpoint, (later, later))
    capsys.readouterr()
    assert command.main(arguments) == 2
    # The other one does not start from it.
    assert f"(of another Stage I: {_TRAINER} fold 0)" in capsys.readouterr().err


def test_fits_of_other_outcomes_or_settings_are_made_again(fake_benchmark: FakeBenchmark) -> None:
    methods = ("--methods", "icare", "-f", "0")
    assert command.main(fake_benchmark.arguments(*methods)) == 0
    n_calls = len(fake_benchmark.calls())
    file = fake_benchmark.project.raw / DATASET / "survival.csv"
    file.write_text(file.read_text().replace("case_00,1,1", "case_00,1,0"))
    assert command.main(fake_benchmark.arguments(*methods)) == 0
    fitted = [call.split("-tr ")[1].split()[0] for call in fake_benchmark.calls()[n_calls:]]
    assert fitted == ["ICARE", "TumourVolume", "CovariatesCox", "SUVmax"]

    (fake_benchmark.output / "settings.json").unlink()
    n_calls = len(fake_benchmark.calls())
    assert command.main(fake_benchmark.arguments(*methods, "--mask_source", "groundtruth")) == 0
    fitted = [call.split("-tr ")[1].split()[0] for call in fake_benchmark.calls()[n_calls:]]
    assert fitted == ["CovariatesCox", "TumourVolume", "SUVmax"], "ICARE looks at the reference anyway"


def test_a_fit_that_cannot_be_repeated_does_not_count(fake_benchmark: FakeBenchmark) -> None:
    methods = ("--methods", "icare", "-f", "0")
    assert command.main(fake_benchmark.arguments(*methods)) == 0
    file = fake_benchmark.project.raw / DATASET / "survival.csv"
    file.write_text(file.read_text().replace("case_00,1,1", "case_00,1,0"))
    # Its step predicts the masks for the others, which can do so themselves.
    fake_benchmark.knob("fail", "TumourVolume")
    assert command.main(fake_benchmark.arguments(*methods)) == 1
    table = pd.read_csv(fake_benchmark.output / "table_1.csv", index_col="method")
    assert table["c_index"].notna().to_dict() == {
        "icare": True, "covariates_cox": True, "tumour_volume": False, "suv_max": True
    }  # fmt: skip
    assert table.loc["tumour_volume", "c_index_reason"] == "not finished: fold 0"


def test_patients_who_could_not_be_predicted_are_tried_again(fake_benchmark: FakeBenchmark) -> None:
    make_test_set(fake_benchmark.project)
    arguments = fake_benchmark.arguments(*_SMALL, "-f", "0", "--test", "8")
    fake_benchmark.knob("fail_in_part", "adamss_predict_survival")
    assert command.main(arguments) == 1
    table = pd.read_csv(fake_benchmark.output / "table_2_test.csv", index_col="method")
    assert table["c_index"].notna().all(), "what is there counts"
    n_calls = len(fake_benchmark.calls())
    fake_benchmark.knob("fail_in_part", "")
    for _ in range(2):
        assert command.main(arguments) == 0
    again = [call.split()[0] for call in fake_benchmark.calls()[n_calls:]]
    assert again.count("adamss_predict_survival") == 1


def test_a_dry_run_says_what_another_process_does(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    file = fake_benchmark.output / "workflow" / "running" / "AdaMSSSegTrainer_fold_1"
    file.parent.mkdir(parents=True)
    file.touch()
    lock = lock_file(file, wait=False)
    assert command.main(fake_benchmark.arguments(*_SMALL, "--dry_run")) == 0
    os.close(lock)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-3:] for line in lines if line.startswith("runs")] == [
        ["AdaMSSSegTrainer", "fold", "1"]
    ]


def test_without_snakemake_nothing_is_begun_but_what_is_there_is_shown(
    fake_benchmark: FakeBenchmark, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("nnunetv2_adamss.benchmark.run_steps.find_spec", lambda name: None)
    arguments = fake_benchmark.arguments(*_SMALL, "-f", "0")
    assert command.main([*arguments, "--dry_run"]) == 0
    capsys.readouterr()
    assert command.main(arguments) == 2
    error = capsys.readouterr().err
    assert 'is not installed: pip install "nnunetv2-adamss[benchmark]".' in error and error.count("\n") == 1
    assert not fake_benchmark.output.exists()


def test_results_of_version_0_1_are_shown_and_what_failed_for_single_patients_is_tried_again(
    fake_benchmark: FakeBenchmark,
) -> None:
    make_test_set(fake_benchmark.project)
    arguments = fake_benchmark.arguments(*_SMALL, "-f", "0", "--test", "8")
    assert command.main(arguments) == 0
    n_calls = len(fake_benchmark.calls())
    # It left records and claims, and no workflow.
    shutil.rmtree(fake_benchmark.output / "workflow")
    (fake_benchmark.output / "claims").mkdir()
    for file in (fake_benchmark.output / "steps").iterdir():
        exit_code = int(file.name.startswith("test_patients_by_AdaMSS"))
        record = {"kind": "x", "seconds": 1.5, "exit_code": exit_code, "resumed": False}
        file.write_text(json.dumps(record))
    assert command.main(arguments) == 0
    again = [call.split()[0] for call in fake_benchmark.calls()[n_calls:]]
    assert again == ["adamss_predict_survival"]


def test_a_list_that_is_not_read_to_the_end_ends_quietly(fake_benchmark: FakeBenchmark) -> None:
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    code = "import sys; from nnunetv2_adamss.cli.benchmark import main; sys.exit(main(sys.argv[1:]))"
    listing = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, *fake_benchmark.arguments("--dry_run")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert listing.stdout is not None and listing.stderr is not None
    listing.stdout.close()
    assert listing.stderr.read() == ""
    assert listing.wait() == 0
    listing.stderr.close()


def test_a_users_own_explanation_is_neither_shown_nor_removed(fake_benchmark: FakeBenchmark) -> None:
    arguments = fake_benchmark.arguments(*_SMALL, "-f", "0")
    assert command.main(arguments) == 0
    own = fake_benchmark.fold(_TRAINER, 0) / "explanation" / "gate_weights.csv"
    own.parent.mkdir()
    own.write_text("encoder_stage,stage_one,stage_two\n1,0.9,0.9\n")
    later = time() + 60
    os.utime(fake_benchmark.fold(_TRAINER, 0) / "survival_summary.json", (later, later))
    fake_benchmark.knob("fail", "adamss_explain")
    assert command.main(arguments) == 1
    assert own.is_file()
    assert not (fake_benchmark.output / "table_4.csv").exists()


def test_a_stage_one_that_was_begun_under_another_split_is_refused(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fake_benchmark.fold("AdaMSSSegTrainer", 0)
    folder.mkdir(parents=True)
    torch.save({"init_args": {"training_cases": FOLDS[1]}}, folder / "checkpoint_latest.pth")
    arguments = fake_benchmark.arguments(*_SMALL, "--dry_run")
    assert command.main(arguments) == 0
    file = fake_benchmark.project.preprocessed / DATASET / "splits_final.json"
    file.write_text(json.dumps(json.loads(file.read_text())[::-1]))
    assert command.main(arguments) == 2
    assert "(of another split: AdaMSSSegTrainer fold 0)" in capsys.readouterr().err


def test_a_training_whose_stage_one_would_be_trained_again_is_refused(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    methods = ("--methods", "two_stage", "segmentation_only", "-f", "0")
    assert command.main(fake_benchmark.arguments(*methods)) == 0
    calls = fake_benchmark.calls()
    shutil.rmtree(fake_benchmark.fold("AdaMSSSegTrainer", 0))
    # Where nothing needs it any more, it may be gone.
    assert command.main(fake_benchmark.arguments("--methods", "two_stage", "-f", "0")) == 0
    capsys.readouterr()
    assert command.main(fake_benchmark.arguments(*methods)) == 2
    assert f"(of a Stage I that is not there: {_TRAINER} fold 0)" in capsys.readouterr().err
    assert fake_benchmark.calls() == calls


@pytest.mark.parametrize("name", ["survival_summary.json", "validation/summary.json", "splits_final.json"])
def test_a_file_that_was_copied_in_part_is_named(
    fake_benchmark: FakeBenchmark, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(fake_benchmark.arguments(*_SMALL, "-f", "0", "--steps_only")) == 0
    trainer = "AdaMSSSegTrainer" if name.startswith("validation") else _TRAINER
    file = fake_benchmark.fold(trainer, 0) / name
    if not file.is_file():
        file = fake_benchmark.project.preprocessed / DATASET / name
    file.write_text(file.read_text()[:-9])
    capsys.readouterr()
    assert command.main(fake_benchmark.arguments(*_SMALL, "-f", "0")) == 2
    error = capsys.readouterr().err
    assert f"{file} cannot be read as JSON" in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("splits_final.json", ["[]", "{}", '[{"train": []}]', "[1]"]),
        ("dataset.json", ["{", "{}", "[]"]),
        ("nnUNetPlans.json", ["{", "{}"]),
        ("validation/summary.json", ["{}", '{"metric_per_case": [1]}']),
        ("survival_summary.json", ["[]", '{"settings": {}}', '{"settings": 1}', "{}"]),
        ("validation/survival_predictions.csv", ["", "case\na\n"]),
    ],
)
def test_a_file_that_does_not_hold_what_it_should_is_named_in_one_sentence(
    fake_benchmark: FakeBenchmark, name: str, contents: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(fake_benchmark.arguments(*_SMALL, "-f", "0", "--steps_only")) == 0
    of_trainer = fake_benchmark.fold("AdaMSSSegTrainer" if name.endswith("/summary.json") else _TRAINER, 0)
    file = of_trainer / name
    if not file.is_file():
        file = fake_benchmark.project.preprocessed / DATASET / name
    capsys.readouterr()
    for content in contents:
        file.write_text(content)
        assert command.main(fake_benchmark.arguments(*_SMALL, "-f", "0")) == 2
        error = capsys.readouterr().err
        assert str(file) in error and error.count("\n") == 1, error


def test_damaged_records_do_not_stop_a_benchmark(fake_benchmark: FakeBenchmark) -> None:
    arguments = fake_benchmark.arguments(*_SMALL, "-f", "0", "--steps_only")
    assert command.main(arguments) == 0
    for file in (fake_benchmark.output / "steps").iterdir():
        file.write_text("{")
    assert command.main([*arguments, "--dry_run"]) == 0


def test_a_retrained_network_predicts_the_test_patients_again(fake_benchmark: FakeBenchmark) -> None:
    make_test_set(fake_benchmark.project)
    arguments = fake_benchmark.arguments("--methods", "two_stage", "--test", "8", "-f", "0")
    assert command.main(arguments) == 0
    n_calls = len(fake_benchmark.calls())
    later = time() + 60
    os.utime(fake_benchmark.fold(_TRAINER, 0) / "survival_summary.json", (later, later))
    command.main([*arguments, "--steps_only"])
    again = [call.split()[0] for call in fake_benchmark.calls()[n_calls:]]
    assert again[:2] == ["adamss_explain", "adamss_predict_survival"]
    # And what uses its masks.
    assert again.count("adamss_predict_statistical") == 3


def test_masks_are_out_of_fold_unless_the_benchmark_began_with_others(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--methods", "two_stage", "-f", "0", "--dry_run")
    assert command.main(fake_benchmark.arguments(*options)) == 0
    assert "AdaMSSSegTrainer fold 1" in capsys.readouterr().out
    assert command.main(fake_benchmark.arguments(*_SMALL, "-f", "0", "--steps_only")) == 0
    settings = json.loads((fake_benchmark.output / "settings.json").read_text())
    for masks in ({"mask_source": "predicted"}, {}):  # the second as version 0.1 wrote it
        (fake_benchmark.output / "settings.json").write_text(json.dumps({**settings, "masks": masks}))
        capsys.readouterr()
        assert command.main(fake_benchmark.arguments(*options)) == 0
        assert "AdaMSSSegTrainer fold 1" not in capsys.readouterr().out


def test_masks_out_of_fold_are_refused_early_where_a_case_is_never_validated(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    file = fake_benchmark.project.preprocessed / DATASET / "splits_final.json"
    file.write_text(json.dumps(json.loads(file.read_text())[:1]))
    options = ("--methods", "two_stage", "-f", "0", "--dry_run")
    assert command.main(fake_benchmark.arguments(*options)) == 2
    error = capsys.readouterr().err
    assert "are in none: " in error and "Use --mask_source predicted" in error
    assert command.main(fake_benchmark.arguments(*options, "--mask_source", "predicted")) == 0


def test_settings_of_the_user_reach_the_commands(fake_benchmark: FakeBenchmark) -> None:
    options = (
        "--short_schedule",
        "--epochs",
        "3",
        "--disable_tta",
        "--mask_source",
        "out_of_fold",
        "--steps_only",
    )
    assert command.main(fake_benchmark.arguments(*_SMALL, "-f", "1", *options)) == 0
    trained = [call for call in fake_benchmark.calls() if call.startswith("adamss_finetune_survival")]
    assert trained == [
        "adamss_finetune_survival Dataset007_Forty 3d_fullres 1 -p nnUNetPlans "
        "-tr AdaMSSSurvTrainer_ShortSchedule_NoRadiomics -seg_tr AdaMSSSegTrainer_ShortSchedule --mask_source "
        "out_of_fold --disable_tta --epochs 3 --seed 2024 -device cpu"
    ]
    # Masks out of fold are of all folds.
    segmented = [call.split()[3] for call in fake_benchmark.calls() if call.startswith("nnUNetv2_train")]
    assert segmented == ["1", "0"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--methods", "adamss", "cnn"], "There is no method cnn, only "),
        (["-f", "1", "2"], "There is no fold 2: "),
        (["--test", "8"], "'8' is neither the name nor the id"),
        (["--epochs", "0"], "epochs is 0, but must be at least 1"),
        (["-p", "others"], "not planned and preprocessed"),
        (["--survival_csv", "nowhere.csv"], "nowhere.csv: the file does not exist"),
        (["--masks", "/nowhere"], "40 of 40 cases have no mask in /nowhere: case_00, "),
        (["-seg_chk", "typo.pth"], "but -seg_chk is typo.pth, and"),
    ],
)
def test_a_users_error_is_one_sentence_and_exit_code_two(
    fake_benchmark: FakeBenchmark, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(fake_benchmark.arguments(*options)) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not fake_benchmark.output.exists()


def test_methods_are_also_taken_by_the_names_of_their_results(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = []
    for names in (["adamss", "lasso_cox"], ["AdaMSSSurvTrainer", "LassoCoxPH"]):
        options = ["--methods", *names, "--rank_fusion", *names, "--dry_run"]
        assert command.main(fake_benchmark.arguments(*options)) == 0
        listed.append(capsys.readouterr().out)
    assert "LassoCoxPH fold 0" in listed[0]
    assert listed[1] == listed[0]


def test_survival_in_two_dimensions_is_refused_before_stage_one_is_trained(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["-d", "7", "-c", "2d", "-o", str(fake_benchmark.output), "-device", "cpu"]) == 2
    assert "Configuration '2d' has 2D patches" in capsys.readouterr().err
    assert not fake_benchmark.calls()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--gpus", "0", "1", "-np", "3", "-device", "cuda"],
            "names 2 devices, one for each worker",
        ),
        (["--gpus", "0"], "--gpus needs -device cuda"),
        (["--gpus", "0", "--profile", "slurm", "-device", "cuda"], "it does not go with --profile"),
        (["-np", "0"], "must be at least 1"),
        (["--seeds", "1", "1"], "each once"),
        (["--mask_source", "groundtruth", "--masks", "M"], "exclude each other"),
        (["--masks", "M", "--test", "8"], "does not go with --test"),
    ],
)
def test_impossible_options_are_refused(
    fake_benchmark: FakeBenchmark, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(fake_benchmark.arguments(*options))
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_methods_that_are_fused_are_compared_too(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--methods", "icare", "--rank_fusion", "icare", "lasso_cox", "--dry_run")
    assert command.main(fake_benchmark.arguments(*options)) == 0
    assert "LassoCoxPH" in capsys.readouterr().out


def test_a_fusion_is_a_row_of_the_validation_and_of_the_test_patients(fake_benchmark: FakeBenchmark) -> None:
    """ICARE and SUVmax rank the validation patients in opposite order, and the test patients alike."""
    make_test_set(fake_benchmark.project)
    options = ("--methods", "adamss", "--rank_fusion", "icare", "suv_max", "--test", "8")
    assert command.main(fake_benchmark.arguments(*options)) == 0
    for name, c_index in (("table_1.csv", 0.5), ("table_1_test.csv", 63 / 66)):
        table = pd.read_csv(fake_benchmark.output / name, index_col="method")
        assert table.loc["rank_fusion", "c_index"] == pytest.approx(c_index)
    provenance = json.loads((fake_benchmark.output / "tables.json").read_text())["provenance"]
    assert provenance["rank_fusion"] == ["icare", "suv_max"]


def test_methods_that_cannot_be_fused_are_refused_before_anything_runs(
    fake_benchmark: FakeBenchmark, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--methods", "icare", "--rank_fusion", "icare", "pet_only")
    assert command.main(fake_benchmark.arguments(*options)) == 2
    assert "icare and pet_only have no table in common" in capsys.readouterr().err
    assert not fake_benchmark.calls()
