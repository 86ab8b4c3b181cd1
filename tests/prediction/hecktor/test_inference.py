"""The container of HECKTOR: the same numbers as conversion and prediction one after the other."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from nnunetv2_adamss.cli import hecktor_inference, predict_survival
from nnunetv2_adamss.common.voxel_grid import VoxelGrid
from nnunetv2_adamss.prediction.hecktor.inference import _clinical, _rfs
from tests.prediction.hecktor.conftest import CASES
from tests.prediction.hecktor.test_submission import MODEL
from tests.trained_model import TrainedModel

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:torch")
COLUMNS_USED: dict[str, tuple[str, ...]] = {"age": (), "hpv_status": (), "ki_67": ()}
MASK = Path("images") / "head-neck-tumor-segmentation" / "output.mha"


def infer(container: Path, model: TrainedModel, converted: Path, *options: str) -> int:
    folders = ["-i", str(container / "input"), "-o", str(container / "output")]
    settings = ["-m", str(model.folder), "--conversion_log", str(converted / "conversion_log.json")]
    return hecktor_inference.main([*folders, *settings, *MODEL, *options])


def test_it_says_what_conversion_and_prediction_say_one_after_the_other(
    container: Path, trained_model: TrainedModel, converted: Path, tmp_path: Path, native: Path
) -> None:
    (tmp_path / "clinical.csv").write_text(f"case_id,age,hpv\n{CASES[0]},60,1\n{CASES[1]},,\n")
    paths = ["-i", str(converted / "imagesTs"), "-o", str(tmp_path / "out"), "-m", str(trained_model.folder)]
    options = ["--clinical", str(tmp_path / "clinical.csv"), "--hecktor_submission", *MODEL]
    assert predict_survival.main([*paths, *options]) == 0
    expected = pd.read_csv(tmp_path / "out" / "survival_predictions.csv").set_index("case_id").loc[CASES[0]]
    submitted = sitk.ReadImage(str(tmp_path / "out" / "hecktor_submission" / "masks" / f"{CASES[0]}.nii.gz"))
    for rfs_output, column in (("days", "predicted_time"), ("risk", "risk_score")):
        assert infer(container, trained_model, converted, "--rfs_output", rfs_output) == 0
        rfs = json.loads((container / "output" / "rfs.json").read_text())
        assert rfs == pytest.approx(expected[column], rel=1e-6)
    mask = sitk.ReadImage(str(container / "output" / MASK))
    ct = sitk.ReadImage(str(native / "phantom000__CT.nii.gz"))
    assert VoxelGrid.of(mask).describe() == VoxelGrid.of(ct).describe()
    assert np.array_equal(sitk.GetArrayFromImage(mask), sitk.GetArrayFromImage(submitted))
    written = {path.relative_to(container / "output") for path in (container / "output").rglob("*.*")}
    assert written == {MASK, Path("rfs.json")}


def test_what_the_record_does_not_say_is_imputed_with_a_warning(
    container: Path, trained_model: TrainedModel, converted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (container / "input" / "ehr.json").write_text('{"Age": null, "hpv": 1}')
    assert infer(container, trained_model, converted, "--rfs_output", "risk") == 0
    said = capsys.readouterr()
    assert "WARNING: " in said.err
    assert "age is not known and was imputed" in said.err
    assert "conversion" in said.out
    assert "survival" in said.out


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"Age": 60, "HPV Status": True}, {"age": "60", "hpv_status": "1", "ki_67": ""}),
        ({"age": 60, "Ki-67": 0.5}, {"age": "60", "hpv_status": "", "ki_67": "0.5"}),
        ({"case_id": "CHUM-001", "Age": None, "Ki-67": "unknown"}, dict.fromkeys(COLUMNS_USED, "")),
    ],
)
def test_the_columns_of_the_model_are_found_by_either_name(
    tmp_path: Path, record: dict[str, object], expected: dict[str, str]
) -> None:
    (tmp_path / "ehr.json").write_text(json.dumps(record))
    row = _clinical(tmp_path / "ehr.json", COLUMNS_USED).iloc[0].to_dict()
    assert row == {"case_id": "patient", **expected}


@pytest.mark.parametrize(
    ("value", "categories", "expected"),
    [
        ("unknown", ("0", "1", "unknown"), "unknown"),
        ("unknown", ("0", "1"), ""),
        (True, ("False", "True"), "True"),
        (True, ("0", "1"), "1"),
        (False, (), "0"),
        ("male", ("Male", "Female"), "Male"),
        ("x", ("X",), "X"),
    ],
)
def test_a_value_is_the_category_that_training_had_for_it(
    tmp_path: Path, value: object, categories: tuple[str, ...], expected: str
) -> None:
    (tmp_path / "ehr.json").write_text(json.dumps({"hpv": value}))
    assert _clinical(tmp_path / "ehr.json", {"hpv": categories})["hpv"].tolist() == [expected]


def test_a_record_without_a_column_of_the_model_is_predicted(
    container: Path, trained_model: TrainedModel, converted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (container / "input" / "ehr.json").write_text("{}")
    assert infer(container, trained_model, converted, "--rfs_output", "risk") == 0
    assert "age is not known and was imputed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        '\ufeff{"Age": 60, "HPV Status": 1}',
        '[{"Age": 60, "HPV Status": 1}]',
        '{"Age": [60], "HPV Status": ["1"]}',
    ],
)
def test_records_that_tools_wrap_differently_are_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "ehr.json").write_text(text, encoding="utf-8")
    row = _clinical(tmp_path / "ehr.json", COLUMNS_USED).iloc[0].to_dict()
    assert row == {"case_id": "patient", "age": "60", "hpv_status": "1", "ki_67": ""}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"Age": [60, 61]}', "ehr.json has [60, 61] as Age, expected a number or a text."),
        ('[{"Age": 60}, {"Age": 61}]', "expected one object such as"),
        ("60", "ehr.json holds 60, expected one object such as"),
        ('{"Age": 60', "ehr.json cannot be read as JSON"),
    ],
)
def test_a_record_that_is_not_one_patient_is_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "ehr.json").write_text(text)
    with pytest.raises(ValueError) as error:
        _clinical(tmp_path / "ehr.json", COLUMNS_USED)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_the_results_of_an_earlier_run_do_not_survive_one_that_fails(
    container: Path, trained_model: TrainedModel, converted: Path
) -> None:
    for name in ("rfs.json", "t-stage.json", "n-stage.json"):
        (container / "output" / name).write_text("1234.5")
    (container / "input" / "ehr.json").write_text("[1]")
    assert infer(container, trained_model, converted, "--rfs_output", "risk") == 2
    assert not list((container / "output").iterdir())


def test_what_rfs_is_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        hecktor_inference.main(["-m", "model", "--conversion_log", "log.json"])
    assert stopped.value.code == 2
    assert "the following arguments are required: --rfs_output" in capsys.readouterr().err


def test_an_input_that_does_not_serve_is_one_sentence_and_nothing_is_written(
    container: Path, trained_model: TrainedModel, converted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> str:
        assert infer(container, trained_model, converted, "--rfs_output", "risk") == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert not list((container / "output").iterdir())
        return error

    pet = container / "input" / "images" / "pet"
    second = pet / "second.mha"
    second.write_bytes((pet / "0b9a-4711.mha").read_bytes())
    assert f"Expected one image in {pet}, found 0b9a-4711.mha, second.mha." in said()
    second.unlink()
    ehr = container / "input" / "ehr.json"
    whole = ehr.read_text()
    ehr.write_text("[1]")
    assert "ehr.json holds 1, expected one object such as" in said()
    ehr.write_text(whole)
    (pet / "0b9a-4711.mha").write_bytes(b"not an image")
    assert "0b9a-4711.mha cannot be read as an image" in said()


def test_months_are_no_days() -> None:
    row = {"predicted_time": 24.0, "risk_score": -24.0}
    assert _rfs(row, {"time_unit": "months"}, "risk") == -24
    with pytest.raises(ValueError, match="counts in months, so it cannot predict days"):
        _rfs(row, {"time_unit": "months"}, "days")


def test_a_model_of_boxes_around_tumours_is_refused(
    container: Path, trained_model: TrainedModel, converted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = json.loads((converted / "conversion_log.json").read_text())
    log["settings"]["field_mm"] = 130.0
    (container / "conversion_log.json").write_text(json.dumps(log))
    assert infer(container, trained_model, container, "--rfs_output", "days") == 2
    assert "boxes were cut around known tumours" in capsys.readouterr().err
