"""Options that make no sense, each refused in one sentence before anything is read."""

import pytest

from nnunetv2_adamss.cli import convert_dataset, set_normalization

NOT_A_NAME = "is not a valid name; expected letters, digits"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--grid", "ct", "--spacing", "1"], "--spacing: only with --grid iso"),
        (["--spacing", "1", "2"], "one number or three, not 2"),
        (["--spacing", "nan"], "'nan' is not a number of mm from 0.1 to 50"),
        (["--spacing", "inf"], "'inf' is not a number of mm from 0.1 to 50"),
        (["--spacing", "1000"], "'1000' is not a number of mm from 0.1 to 50"),
        (["--spacing", "1", "0.01", "1"], "'0.01' is not a number of mm from 0.1 to 50"),
        (["--field_mm", "0"], "'0' is not a number of mm from 50 to 2000"),
        (["--field_mm", "10"], "'10' is not a number of mm from 50 to 2000"),
        (["--field_mm", "inf"], "'inf' is not a number of mm from 50 to 2000"),
        (["--field_mm", "abc"], "'abc' is not a number of mm from 50 to 2000"),
        (["-d", "1000"], "expected 1 to 999"),
        (["--name", "a/b"], f"'a/b' {NOT_A_NAME}"),
        (["--name", "../x"], f"'../x' {NOT_A_NAME}"),
        (["--name", ""], f"'' {NOT_A_NAME}"),
        (["--labels", "A", "A"], "--labels: 'A' occurs twice"),
        (["--labels", "background", "A"], "--labels: 'background' cannot name a tumour"),
        (["--tables", "x.csv"], "--tables: not with manifest"),
    ],
)
def test_impossible_options_are_refused(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        convert_dataset.main(["manifest", "cohort.csv", "-d", "1", *options])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("option", ["-o", "-p"])
def test_no_plan_is_written_or_read_elsewhere(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        set_normalization.main(["-d", "901", option, "../../x"])
    assert stopped.value.code == 2
    assert f"'../../x' {NOT_A_NAME}" in capsys.readouterr().err
