"""T and N stage of one patient in the container, by a model that was exported to a zip with them."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.cli import export_model, hecktor_inference
from nnunetv2_adamss.prediction.hecktor import inference
from nnunetv2_adamss.prediction.hecktor.inference import InferenceReport, InferenceRequest, _stage_warnings
from nnunetv2_adamss.survival.covariates.indicator import Indicator
from nnunetv2_adamss.survival.covariates.scaling import Scaling
from nnunetv2_adamss.tn_stages.stage_classifier import StageClassifier
from nnunetv2_adamss.tn_stages.stage_model import StageModel
from tests.prediction.hecktor.test_submission import MODEL
from tests.survival_project import DATASET
from tests.trained_model import TrainedModel

AGE = Indicator("age", "number", 60.0, mean=60.0, spread=1.0)
CHECK = Path(__file__).parents[3] / "hecktor_container" / "check_output.py"


def by_one_number(classes: tuple[str, str], name: str, *indicators: Indicator) -> StageClassifier:
    """The second class where a number is above 0, else the first."""
    scaling = Scaling((name,), (0.0,), (1.0,), (0.0,), (1.0,))
    return StageClassifier(classes, indicators, scaling, np.array([[0.0], [1000.0]]), np.array([0.0, -1.0]))


@pytest.fixture
def stage_model() -> StageModel:
    """T3 above 60 years, N1 with a lesion of the second label."""
    classifiers = {
        "T": by_one_number(("T2", "T3"), "age", AGE),
        "N": by_one_number(("N0", "N1"), "lymph_nodes_log_lesions"),
    }
    return StageModel({"primary_tumour": (1,), "lymph_nodes": (2,)}, classifiers, {})


@pytest.fixture
def model_zip(
    trained_model: TrainedModel, stage_model: StageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Both stages of the network with the stages of patients, in one file."""
    model = trained_model.linked_in(tmp_path / "results")
    model.project.use(monkeypatch)
    monkeypatch.setenv("nnUNet_results", str(model.results))
    stage_model.write(model.folder, {})
    named = ["-d", DATASET, "-c", "3d_fullres", "-tr", model.folder.name.split("__")[0]]
    assert export_model.main([*named, *MODEL[:4], "-o", str(tmp_path / "model.zip")]) == 0
    assert "numbers of patients by stage (tn_stages.json)" in (tmp_path / "model.md").read_text()
    return tmp_path / "model.zip"


@pytest.mark.filterwarnings("ignore::FutureWarning:torch")
def test_mask_stages_and_rfs_are_written_by_an_exported_model(
    container: Path, model_zip: Path, converted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patient, output = container / "input", container / "output"
    (patient / "ehr.json").write_text('{"Age": 61, "hpv": 1}')
    log = ["--conversion_log", str(converted / "conversion_log.json"), "--rfs_output", "days"]
    options = ["-i", str(patient), "-o", str(output), *log, "-m", str(model_zip), *MODEL]
    assert hecktor_inference.main(options) == 0
    assert json.loads((output / "t-stage.json").read_text()) == "T3"
    n_stage = json.loads((output / "n-stage.json").read_text())
    assert f"T and N stage: T3, {n_stage}" in capsys.readouterr().out
    faults_of = runpy.run_path(str(CHECK))["faults_of"]
    assert faults_of(patient, output) == []
    (output / "n-stage.json").write_text('"N2b"')
    assert faults_of(patient, output) == ["n-stage.json is N2b, expected one of N0, N1, N2, N3"]


def test_the_stages_are_those_of_the_mask_and_of_the_record(
    trained_model: TrainedModel, stage_model: StageModel
) -> None:
    raw = trained_model.project.raw / DATASET
    truth = pd.read_csv(raw / "phantom_truth.csv", index_col="case_id")["n_nodes"]
    for case_id, n_stage in ((truth.idxmin(), "N0"), (truth.idxmax(), "N1")):
        files = raw / "labelsTr" / f"{case_id}.nii.gz", raw / "imagesTr" / f"{case_id}_0000.nii.gz"
        for age, t_stage in (("59", "T2"), ("61,5", "T3"), ("", "T2")):
            assert stage_model.predict(*files, {"age": age}) == {"T": t_stage, "N": n_stage}


def test_names_of_the_stages_files_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[InferenceRequest] = []

    def predict(request: InferenceRequest) -> InferenceReport:
        asked.append(request)
        return InferenceReport(1.0, {}, [], {})

    monkeypatch.setattr(inference, "predict_container", predict)
    for name in ("check_inputs", "check_model"):
        monkeypatch.setattr(hecktor_inference, name, lambda *arguments: None)
    words = ["--rfs_output", "days", "-m", "model", "--conversion_log", "log.json"]
    assert hecktor_inference.main(words) == 0
    assert hecktor_inference.main([*words, "--stage_files", "t.json", "n.json"]) == 0
    assert [one.stage_files for one in asked] == [("t-stage.json", "n-stage.json"), ("t.json", "n.json")]


@pytest.mark.parametrize(
    ("fitted_on", "n_warnings"),
    [({}, 0), ({"fold 0": "aa"}, 0), ({"fold 0": "aa", "fold 1": "bb"}, 0), ({"x": "cc"}, 1)],
)
def test_masks_of_other_networks_are_a_warning(
    stage_model: StageModel, fitted_on: dict[str, str], n_warnings: int
) -> None:
    model = SimpleNamespace(sha256={"fold 0": "dd", "Stage I of fold 0": "aa"})
    found = StageModel(stage_model.labels, stage_model.classifiers, fitted_on)
    assert len(_stage_warnings(model, found)) == n_warnings  # type: ignore[arg-type]
    assert _stage_warnings(model, None) == []  # type: ignore[arg-type]
