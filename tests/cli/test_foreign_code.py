"""Every command on models, plans and cases that would run code: a sentence that names the file, and nothing is run."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from nnunetv2_adamss.cli import (
    explain,
    export_model,
    extract_radiomics,
    finetune_survival,
    fit_statistical,
    hecktor_inference,
    predict_survival,
    report,
)
from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.plugin_folder import PLUGIN_FOLDER
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold
from tests.finished_project import model_folder
from tests.foreign_code import (
    change_checkpoint,
    change_json,
    name_in_plan,
    plant_in_checkpoint,
    plant_in_pickle,
)
from tests.nnunet_project import NnunetProject
from tests.survival_project import DATASET
from tests.trained_model import TrainedModel

pytestmark = [
    # nnU-Net's search for the Stage-I trainer imports all of its trainers.
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
TRAINER = "AdaMSSSurvTrainer_TwoIterations_WithRadiomics"
FOLD_0 = ("902", "3d_fullres", "0")
CONVERSION = {
    "grid": "ct", "spacing_xyz_mm": [1, 1, 1], "head_and_neck": False, "field_mm": None, "seed": 0, "labels": {}
}  # fmt: skip
FEW_FEATURES = "setting: {binWidth: 1}\nfeatureClass: {firstorder: [Mean]}\n"


@dataclass(frozen=True)
class Place:
    """A trained model, its cases and images, all of which a test may spoil.

    Args:
        root: of everything.
        stage_two: the survival model's folder.
    """

    root: Path
    stage_two: Path

    @property
    def stage_one(self) -> Path:
        return self.stage_two.parent / "AdaMSSSegTrainer__nnUNetPlans__3d_fullres"

    @property
    def stage_one_checkpoint(self) -> Path:
        return self.stage_one / "fold_0" / "checkpoint_best.pth"

    @property
    def other_fold(self) -> Path:
        return self.stage_one / "fold_1" / "checkpoint_best.pth"

    @property
    def stage_two_checkpoint(self) -> Path:
        return self.stage_two / "fold_0" / "checkpoint_final.pth"

    @property
    def cases(self) -> Path:
        return self.root / "preprocessed" / DATASET / "nnUNetPlans_3d_fullres"

    @property
    def marker(self) -> Path:
        return self.root / "code_was_run"

    def accept_stage_one(self, before: str) -> None:
        """Let Stage II believe that it was trained from Stage I as it is now, as an attacker would."""
        now = sha256_of(self.stage_one_checkpoint)

        def accept(checkpoint: dict[str, Any]) -> None:
            sources = checkpoint["init_args"]["survival"]["sources"]
            sources.update({name: now for name, sha256 in sources.items() if sha256 == before})

        change_checkpoint(self.stage_two_checkpoint, accept)

    def without_masks(self) -> None:
        """Let the masks be predicted again."""
        for folder in self.stage_one.glob("fold_*/stage1_masks*"):
            shutil.rmtree(folder)

    def without_features(self) -> None:
        """Let masks and features be made again."""
        self.without_masks()
        for table in self.stage_one.glob("fold_*/radiomics_*"):
            table.unlink()


@pytest.fixture
def place(trained_model: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name, folder in (
        ("preprocessed", trained_model.project.preprocessed),
        ("results", trained_model.results),
    ):
        shutil.copytree(folder, tmp_path / name, copy_function=os.link)
    (tmp_path / "raw").symlink_to(trained_model.project.raw)
    NnunetProject(tmp_path).use(monkeypatch)
    monkeypatch.setenv("nnUNet_n_proc_DA", "0")
    own_trainers = Path(__file__).parents[1] / "trainers" / "short_trainers"
    monkeypatch.setenv("nnUNet_extTrainer", os.pathsep.join([str(PLUGIN_FOLDER), str(own_trainers)]))
    (tmp_path / "few.yaml").write_text(FEW_FEATURES)
    yield Place(tmp_path, tmp_path / "results" / trained_model.folder.relative_to(trained_model.results))
    shutil.rmtree(tmp_path / "results")


# ------------------------------------------------------------------------------------------------ the commands


def predict(place: Place) -> int:
    paths = ["-i", str(place.root / "raw" / DATASET / "imagesTr"), "-o", str(place.root / "out")]
    clinical = ["--clinical", str(place.root / "raw" / DATASET / "survival.csv")]
    model = ["-m", str(place.stage_two), "-f", "0", "-chk", "checkpoint_final.pth", "-device", "cpu"]
    return predict_survival.main([*paths, *clinical, *model])


def export(place: Place) -> int:
    model = ["-tr", TRAINER, "-f", "0", "-chk", "checkpoint_final.pth"]
    return export_model.main(["-d", "902", "-c", "3d_fullres", "-o", str(place.root / "model.zip"), *model])


def explain_fold(place: Place) -> int:
    place.without_masks()
    return explain.main([*FOLD_0, "-tr", TRAINER, "-chk", "checkpoint_final.pth", "-device", "cpu"])


def infer_hecktor(place: Place) -> int:
    folder = place.root / "input" / "images"
    for kind in ("ct", "pet"):
        (folder / kind).mkdir(parents=True)
        (folder / kind / "x.mha").touch()
    (place.root / "input" / "ehr.json").write_text("{}")
    (place.root / "conversion_log.json").write_text(json.dumps({"settings": CONVERSION}))
    folders = ["-i", str(place.root / "input"), "-o", str(place.root), "-m", str(place.stage_two)]
    options = ["--rfs_output", "days", "--conversion_log", str(place.root / "conversion_log.json")]
    model = ["-f", "0", "-chk", "checkpoint_final.pth", "-device", "cpu"]
    return hecktor_inference.main([*folders, *options, *model])


def extract(place: Place, *options: str) -> int:
    place.without_features()
    settings = ["--settings", str(place.root / "few.yaml"), "-np", "1", "-device", "cpu", "--disable_tta"]
    return extract_radiomics.main([*FOLD_0, *settings, *options])


def fit(place: Place) -> int:
    place.without_features()
    return fit_statistical.main([*FOLD_0, "-tr", "TumourVolume", "-device", "cpu", "--disable_tta"])


def begin_stage_two(place: Place, *options: str) -> int:
    shutil.rmtree(place.stage_two)
    settings = ["-tr", "AdaMSSSurvTrainer_TwoIterations", "-device", "cpu", "--mask_source", "groundtruth"]
    return finetune_survival.main([*FOLD_0, *settings, *options])


def resume(place: Place, option: str) -> int:
    return finetune_survival.main([*FOLD_0, "-tr", TRAINER, "-device", "cpu", option])


COMMANDS_OF_A_MODEL = (predict, export, explain_fold, infer_hecktor)
COMMANDS_THAT_PREDICT_MASKS = (extract, fit)


def refusal(capsys: pytest.CaptureFixture[str], run: Callable[[], int]) -> str:
    """What a command says when it refuses, in one line."""
    capsys.readouterr()
    assert run() == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("adamss_")
    return said


# ------------------------------------------------------------------------------------------------- what is opened


@pytest.mark.slow
def test_the_payload_is_run_where_nothing_is_checked(place: Place) -> None:
    plant_in_checkpoint(place.stage_two_checkpoint, place.marker)
    torch.load(place.stage_two_checkpoint, weights_only=False)
    assert place.marker.exists()


@pytest.mark.parametrize("command", COMMANDS_OF_A_MODEL)
def test_a_survival_checkpoint_with_code_is_refused(
    command: Callable[[Place], int], place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    plant_in_checkpoint(place.stage_two_checkpoint, place.marker)
    said = refusal(capsys, partial(command, place))
    assert str(place.stage_two_checkpoint) in said
    assert "holds more than data" in said
    assert not place.marker.exists()


@pytest.mark.parametrize("command", COMMANDS_OF_A_MODEL)
@pytest.mark.parametrize("network", ["torch.hub.load", "os.system"])
def test_a_survival_checkpoint_whose_plan_names_code_is_refused(
    network: str, command: Callable[[Place], int], place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    change_checkpoint(
        place.stage_two_checkpoint, lambda checkpoint: name_in_plan(checkpoint["init_args"]["plans"], network)
    )
    said = refusal(capsys, partial(command, place))
    assert str(place.stage_two_checkpoint) in said
    assert f"'{network}' (network_class_name)" in said


def spoil_checkpoint(place: Place, file: Path) -> str:
    plant_in_checkpoint(file, place.marker)
    return "holds more than data"


def spoil_trainer(place: Place, file: Path) -> str:
    change_checkpoint(file, lambda checkpoint: checkpoint.update(trainer_name="nnUNetTrainer"))
    return "names the trainer nnUNetTrainer, which is none of this package's trainers"


def spoil_plan(place: Place, file: Path) -> str:
    change_json(file.parents[1] / "plans.json", partial(name_in_plan, network="torch.hub.load"))
    return "plans.json names what nnU-Net does not ship, and nothing else is loaded: 'torch.hub.load'"


def spoil_plan_within(place: Place, file: Path) -> str:
    change_checkpoint(file, lambda checkpoint: name_in_plan(checkpoint["init_args"]["plans"], "os.system"))
    return "checkpoint_best.pth names what nnU-Net does not ship, and nothing else is loaded: 'os.system'"


SPOILERS = (spoil_checkpoint, spoil_trainer, spoil_plan, spoil_plan_within)


@pytest.mark.parametrize("spoil", SPOILERS)
@pytest.mark.parametrize("command", COMMANDS_OF_A_MODEL)
def test_a_segmentation_model_that_is_not_ours_is_refused(
    command: Callable[[Place], int],
    spoil: Callable[[Place, Path], str],
    place: Place,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = sha256_of(place.stage_one_checkpoint)
    expected = spoil(place, place.stage_one_checkpoint)
    place.accept_stage_one(before)
    said = refusal(capsys, partial(command, place))
    assert str(place.stage_one) in said
    assert expected in said
    assert not place.marker.exists()


@pytest.mark.parametrize("spoil", SPOILERS)
@pytest.mark.parametrize("command", COMMANDS_THAT_PREDICT_MASKS)
def test_masks_are_not_predicted_by_a_model_that_is_not_ours(
    command: Callable[[Place], int],
    spoil: Callable[[Place, Path], str],
    place: Place,
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = spoil(place, place.stage_one_checkpoint)
    said = refusal(capsys, partial(command, place))
    assert str(place.stage_one) in said
    assert expected in said
    assert not place.marker.exists()


@pytest.mark.parametrize("spoil", [spoil_checkpoint, spoil_trainer])
def test_nor_by_that_of_another_fold(
    spoil: Callable[[Place, Path], str], place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    write_third_fold(place)
    expected = spoil(place, place.other_fold)
    said = refusal(capsys, partial(extract, place, "--mask_source", "out_of_fold"))
    assert str(place.other_fold) in said
    assert expected in said
    assert not place.marker.exists()


def write_third_fold(place: Place) -> None:
    """The model has two folds, and out-of-fold masks need all."""
    fold = place.stage_one / "fold_2"
    fold.mkdir()
    os.link(place.stage_one_checkpoint, fold / "checkpoint_best.pth")


@pytest.mark.parametrize("spoil", [spoil_checkpoint, spoil_plan_within])
def test_stage_two_does_not_begin_from_a_model_that_is_not_ours(
    spoil: Callable[[Place, Path], str], place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = spoil(place, place.stage_one_checkpoint)
    said = refusal(capsys, partial(begin_stage_two, place))
    assert str(place.stage_one_checkpoint) in said
    assert expected in said
    assert not place.marker.exists()


@pytest.mark.parametrize(
    ("name", "option"),
    [("final", "--val"), ("final", "--c"), ("latest", "--c"), ("best", "--c")],
)
def test_stage_two_does_not_continue_from_a_checkpoint_with_code(
    name: str, option: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = place.stage_two / "fold_0" / f"checkpoint_{name}.pth"
    others = [place.stage_two_checkpoint, place.stage_two / "fold_0" / "checkpoint_best.pth"]
    shutil.copy(place.stage_two_checkpoint, place.root / "copy.pth")
    for other in others:
        other.unlink()
    shutil.copy(place.root / "copy.pth", checkpoint)
    plant_in_checkpoint(checkpoint, place.marker)
    said = refusal(capsys, partial(resume, place, option))
    assert str(checkpoint) in said
    assert "holds more than data" in said
    assert TrainedFold(checkpoint.parent).begun_with() is None
    assert not place.marker.exists()


def cut(file: Path) -> None:
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[: len(content) // 2])


def empty(file: Path) -> None:
    file.unlink()
    file.touch()


def lack(file: Path) -> None:
    change_checkpoint(
        file, lambda checkpoint: [checkpoint.pop(key) for key in ("init_args", "current_epoch")]
    )


def hold_a_list(file: Path) -> None:
    change_checkpoint(file, lambda checkpoint: checkpoint.update(init_args=["plans"]))


def hold_no_settings(file: Path) -> None:
    change_checkpoint(file, lambda checkpoint: checkpoint["init_args"].update(survival={"config": 3}))


def hold_other_weights(file: Path) -> None:
    change_checkpoint(file, lambda checkpoint: checkpoint.update(network_weights={"x": torch.zeros(1)}))


@pytest.mark.parametrize("option", ["--val", "--c"])
@pytest.mark.parametrize("spoil", [cut, empty, lack, hold_a_list, hold_no_settings, hold_other_weights])
def test_stage_two_names_a_damaged_checkpoint(
    spoil: Callable[[Path], None], option: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(place.stage_two_checkpoint)
    said = refusal(capsys, partial(resume, place, option))
    assert str(place.stage_two_checkpoint) in said


@pytest.mark.parametrize("command", COMMANDS_THAT_PREDICT_MASKS)
@pytest.mark.parametrize("spoil", [cut, lack, hold_a_list, hold_other_weights])
def test_masks_are_not_predicted_by_a_damaged_model(
    spoil: Callable[[Path], None],
    command: Callable[[Place], int],
    place: Place,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil(place.stage_one_checkpoint)
    assert str(place.stage_one) in refusal(capsys, partial(command, place))


@pytest.mark.parametrize("command", [extract, fit, begin_stage_two])
def test_properties_of_a_case_with_code_are_refused(
    command: Callable[[Place], int], place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    file = sorted(place.cases.glob("*.pkl"))[0]
    plant_in_pickle(file, place.marker)
    said = refusal(capsys, partial(command, place))
    assert str(file) in said
    assert "holds more than numbers and text" in said
    assert not place.marker.exists()


def test_properties_with_code_are_not_explained(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    for file in place.cases.glob("*.pkl"):
        plant_in_pickle(file, place.marker)
    said = refusal(capsys, partial(explain_fold, place))
    assert str(place.cases) in said
    assert "holds more than numbers and text" in said
    assert not place.marker.exists()


@pytest.mark.parametrize("command", [extract, fit, begin_stage_two])
def test_random_bytes_in_the_place_of_an_image_are_one_sentence(
    command: Callable[[Place], int], place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    file = next(file for file in sorted(place.cases.glob("*.b2nd")) if "_seg" not in file.name)
    file.unlink()
    file.write_bytes(bytes(range(256)) * 40)
    said = refusal(capsys, partial(command, place))
    assert f"{file} is not an array file of nnU-Net" in said


@pytest.mark.parametrize("network", ["torch.hub.load", "os.system"])
def test_a_plan_that_names_anything_else_is_not_trained_by(
    network: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    change_json(place.cases.parent / "nnUNetPlans.json", partial(name_in_plan, network=network))
    assert f"'{network}' (network_class_name)" in refusal(capsys, partial(begin_stage_two, place))


@pytest.mark.slow
def test_a_report_names_checkpoints_with_code_and_runs_none(finished_copy: NnunetProject) -> None:
    marker = finished_copy.root / "code_was_run"
    for trainer in ("AdaMSSSegTrainer", "AdaMSSSurvTrainer"):
        for file in model_folder(finished_copy, trainer).glob("fold_*/checkpoint_*.pth"):
            plant_in_checkpoint(file, marker)
    page = finished_copy.root / "report.html"
    assert report.main(["-d", "903", "-c", "3d_fullres", "-o", str(page), "-f", "0", "1", "2"]) == 0
    assert "checkpoint_final.pth is not a checkpoint that a trainer of this package wrote" in page.read_text()
    assert not marker.exists()
