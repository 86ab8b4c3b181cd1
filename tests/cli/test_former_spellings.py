"""Spellings of version 0.1 mean what they meant then, and are answered by the new ones in one line."""

import pytest

from tests.cli.all_commands import PARSERS

MODEL = "-d 510 -c 3d_fullres"
FOLD = "510 3d_fullres 0"
IMAGES = "-i IMAGES -o OUT"


@pytest.mark.parametrize(
    ("command", "old", "new", "said"),
    [
        ("benchmark", "510 3d_fullres -o B", f"{MODEL} -o B", f"510 3d_fullres is now {MODEL}"),
        ("benchmark", "-o B -p PLANS 510 3d_fullres", f"-o B -p PLANS {MODEL}", f"is now {MODEL}"),
        (
            "benchmark",
            "510 3d_fullres -o B --folds 0 1 --num_workers 2 --masks_dir M",
            f"{MODEL} -o B -f 0 1 -np 2 --masks M",
            f"--folds is now -f; --num_workers is now -np; --masks_dir is now --masks; 510 3d_fullres is now {MODEL}",
        ),
        ("calibrate", "510 3d_fullres -f 0", f"{MODEL} -f 0", f"is now {MODEL}"),
        (
            "calibrate",
            "--on p.csv -s s.csv -o c.json",
            "--predictions p.csv --survival_csv s.csv -o c.json",
            "--on is now --predictions; -s is now --survival_csv",
        ),
        ("export_model", "510 3d_fullres -o m.zip", f"{MODEL} -o m.zip", f"is now {MODEL}"),
        (
            "report",
            "510 3d_fullres --predictions OUT -s s.csv",
            f"{MODEL} --predictions OUT --survival_csv s.csv",
            "-s is now --survival_csv",
        ),
        ("make_splits", "-k 3 510", "-k 3 -d 510", "510 is now -d 510"),
        ("set_normalization", "510 --pet suv", "-d 510 --pet suv", "510 is now -d 510"),
        ("verify_dataset", "510", "-d 510", "510 is now -d 510"),
        (
            "evaluate_survival",
            "-p a.csv b.csv -s s.csv -o E --masks M --images I --labels=L",
            "--predictions a.csv b.csv --survival_csv s.csv -o E --masks M -i I --reference_masks L",
            "-p FILE.csv is now --predictions FILE.csv; -s is now --survival_csv; --images is now -i; "
            "--labels is now --reference_masks",
        ),
        ("evaluate_survival", f"{MODEL} -p_id PLANS -o E", f"{MODEL} -p PLANS -o E", "-p_id is now -p"),
        ("extract_radiomics", f"{IMAGES} -m M", f"{IMAGES} --masks M", "-m is now --masks"),
        ("extract_radiomics", f"{FOLD} --masks_dir M", f"{FOLD} --masks M", "--masks_dir is now --masks"),
        ("finetune_survival", f"{FOLD} --masks_dir=M", f"{FOLD} --masks=M", "--masks_dir is now --masks"),
        (
            "fit_statistical",
            f"{FOLD} --method lasso_cox --masks_dir M",
            f"{FOLD} -tr LassoCoxPH --masks M",
            "--method is now -tr; --masks_dir is now --masks",
        ),
        (
            "hecktor_inference",
            "--input I --output O -m M --rfs_output days --conversion_log L",
            "-i I -o O -m M --rfs_output days --conversion_log L",
            "--input is now -i; --output is now -o",
        ),
        ("make_phantom_dataset", "--num_processes 3", "-np 3", "--num_processes is now -np"),
        (
            "predict_statistical",
            f"{MODEL} -tr ICARE -o r.csv -m M",
            f"{MODEL} -tr ICARE -o r.csv --masks M",
            "-m is now --masks",
        ),
        (
            "predict_survival",
            f"{IMAGES} {MODEL} --num_parts 2 --part_id 1 --masks_dir M",
            f"{IMAGES} {MODEL} -num_parts 2 -part_id 1 --masks M",
            "--num_parts is now -num_parts; --part_id is now -part_id; --masks_dir is now --masks",
        ),
    ],
)
def test_an_old_command_line_means_the_new_one(
    command: str, old: str, new: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = PARSERS[f"adamss_{command}"]
    expected = parser.parse_args(new.split())
    assert capsys.readouterr().err == ""
    assert parser.parse_args(old.split()) == expected
    line = capsys.readouterr().err
    assert line.startswith(f"adamss_{command}: ") and line.count("\n") == 1
    assert said in line


def test_plans_are_taken_for_plans(capsys: pytest.CaptureFixture[str]) -> None:
    parser = PARSERS["adamss_evaluate_survival"]
    args = parser.parse_args(f"{MODEL} -p AdaMSSPlans -o E".split())
    assert (args.plans, args.predictions) == ("AdaMSSPlans", None)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "the following arguments are required: -d, -c"),
        ("-d 510", "the following arguments are required: -c"),
        ("510 3d_fullres 0", "unrecognized arguments: 510 3d_fullres 0"),
        (f"{MODEL} 0", "unrecognized arguments: 0"),
        (f"{MODEL} --fold 0", "unrecognized arguments: --fold 0"),
    ],
)
def test_what_is_missing_or_unknown_is_said_in_one_sentence(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        PARSERS["adamss_report"].parse_args(words.split())
    assert stopped.value.code == 2
    error = f"adamss_report: error: {message} (see adamss_report --help)\n"
    assert capsys.readouterr().err == error
