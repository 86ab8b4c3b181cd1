"""Every JSON file of a finished project holds something else: each command that reads it says so in one sentence."""

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from nnunetv2_adamss.benchmark.benchmark_settings import BenchmarkSettings
from nnunetv2_adamss.benchmark.records import read_record
from nnunetv2_adamss.benchmark.write_tables import read_benchmark
from nnunetv2_adamss.cli import (
    calibrate,
    evaluate_survival,
    explain,
    export_model,
    finetune_survival,
    fit_statistical,
    make_splits,
    predict_statistical,
    predict_survival,
    report,
    set_normalization,
)
from nnunetv2_adamss.datasets.conversion.conversion_log import cases_in, read_case, settings_in, source_in
from nnunetv2_adamss.demo.demo_progress import DemoProgress
from nnunetv2_adamss.display.parts import attempt
from nnunetv2_adamss.explanation.explanation_folder import CaseTable, ExplanationFolder
from nnunetv2_adamss.prediction.calibration_files import read_model_calibrations
from nnunetv2_adamss.report.model_data import find_model
from nnunetv2_adamss.report.sections.stage_one_dice import dice_of_labels
from nnunetv2_adamss.survival.cohort.splits_file import read_splits
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.nnunet_data.dataset import raw_cases
from nnunetv2_adamss.survival.nnunet_data.dataset_json import read_dataset_json
from nnunetv2_adamss.survival.nnunet_data.plans_file import read_plans_file
from tests.finished_project import DATASET, SEG_TRAINER, model_folder
from tests.finished_project import calibrate as write_calibration
from tests.misshapen import MISSHAPEN, misshape
from tests.nnunet_project import NnunetProject
from tests.survival_project import DATASET as TRAINED
from tests.trained_model import TrainedModel

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

_FINISHED = ["-d", "903", "-c", "3d_fullres"]
_MODEL = ["-tr", "AdaMSSSurvTrainer_TwoIterations_WithRadiomics", "-f", "0", "-chk", "checkpoint_final.pth"]


def check_every_kind(
    file: Path,
    run: Callable[[], int],
    capsys: pytest.CaptureFixture[str],
    kinds: Iterable[str] = tuple(MISSHAPEN),
) -> None:
    """Whatever stands in the file, exit code 2 and one sentence that names it."""
    for kind in kinds:
        capsys.readouterr()
        bring_back = misshape(file, kind)
        try:
            code = run()
        finally:
            bring_back()
        error = capsys.readouterr().err
        last = error.strip().splitlines()[-1] if error.strip() else ""
        assert code == 2 and str(file) in last, f"{kind}: exit code {code}, {error}"


@pytest.fixture(scope="module")
def finished_spoilt(
    finished_project: NnunetProject, tmp_path_factory: pytest.TempPathFactory
) -> NnunetProject:
    copy = NnunetProject(tmp_path_factory.mktemp("misshapen") / "project")
    shutil.copytree(finished_project.root, copy.root)
    write_calibration(copy)
    return copy


@pytest.fixture
def finished(finished_spoilt: NnunetProject, monkeypatch: pytest.MonkeyPatch) -> NnunetProject:
    """A copy of the finished cross-validation that can be spoilt and is brought back by every test."""
    finished_spoilt.use(monkeypatch)
    return finished_spoilt


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("survival_summary.json", "evaluate"),
        ("survival_summary.json", "calibrate"),
        ("survival_summary.json", "report"),
        ("prediction.json", "report"),
    ],
)
def test_commands_on_a_finished_cross_validation(
    finished: NnunetProject, capsys: pytest.CaptureFixture[str], name: str, command: str
) -> None:
    fold = model_folder(finished) / "fold_0"
    file = fold / name if name == "survival_summary.json" else finished.root / "OUT" / name
    out = str(finished.root / "new")
    run = {
        "evaluate": lambda: evaluate_survival.main([*_FINISHED, "-f", "0", "-o", out]),
        "calibrate": lambda: calibrate.main([*_FINISHED, "-f", "0", "1", "2"]),
        "report": lambda: report.main([*_FINISHED, "--predictions", str(finished.root / "OUT"), "-o", f"{out}.html"]),
    }[command]  # fmt: skip
    check_every_kind(file, run, capsys)


@pytest.mark.parametrize("kind", MISSHAPEN)
def test_a_report_names_the_file_that_a_part_of_it_lacks(finished: NnunetProject, kind: str) -> None:
    stage_one = model_folder(finished, SEG_TRAINER) / "fold_0" / "validation" / "summary.json"
    model = model_folder(finished)
    for file in (model / "plans.json", model / "dataset.json", stage_one):
        bring_back = misshape(file, kind)
        source = find_model(DATASET, "3d_fullres", "AdaMSSSurvTrainer", "nnUNetPlans")
        part = {"plans.json": lambda s=source: [s.plans]}.get(file.name, lambda s=source: dice_of_labels(s))
        (notice, *_) = attempt(part)
        bring_back()
        assert str(file) in notice.text, (file, kind, notice)


@pytest.mark.parametrize("kind", MISSHAPEN)
def test_readers_of_a_data_set_name_the_file(finished: NnunetProject, kind: str) -> None:
    raw, splits = finished.raw / DATASET, finished.preprocessed / DATASET / "splits_final.json"
    model = model_folder(finished)
    readers: list[tuple[Path, Callable[[], object]]] = [
        (raw / "dataset.json", lambda: raw_cases(raw)),
        (raw / "dataset.json", lambda: read_dataset_json(raw / "dataset.json", "labels")),
        (model / "plans.json", lambda: read_plans_file(model / "plans.json")),
        (model / "survival_calibration.json", lambda: read_model_calibrations(model)),
    ]
    if kind != "a list":  # a split without folds, which callers find too few
        readers.append((splits, lambda: read_splits(splits)))
    for file, read in readers:
        bring_back = misshape(file, kind)
        try:
            read()
        except ValueError as error:
            assert str(file) in str(error) and "\n" not in str(error)
        else:
            # A model without any calibration is not calibrated.
            assert (file.name, kind) == ("survival_calibration.json", "an object without entries")
        finally:
            bring_back()


@pytest.fixture(scope="module")
def trained_spoilt(trained_model: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    """A copy of the trained model with a statistical method."""
    root = tmp_path_factory.mktemp("spoilt")
    project = NnunetProject(root / "project")
    shutil.copytree(trained_model.project.root, project.root)
    shutil.copytree(trained_model.results, root / "results")
    copy = TrainedModel(project, root / "results")
    with pytest.MonkeyPatch.context() as monkeypatch:
        copy.use_for_statistical_methods(monkeypatch)
        options = ["-tr", "TumourVolume", "-device", "cpu", "--disable_tta", "--overwrite"]
        assert fit_statistical.main(["902", "3d_fullres", "0", *options]) == 0
    return copy


@pytest.fixture
def trained(trained_spoilt: TrainedModel, monkeypatch: pytest.MonkeyPatch) -> TrainedModel:
    """The same with nnU-Net's variables set; every test brings back what it has spoilt."""
    trained_spoilt.use_for_statistical_methods(monkeypatch)
    return trained_spoilt


_TRAINED_CASES = {
    "normalization": ("nnUNetPlans.json", "dataset.json"),
    "fit": ("nnUNetPlans.json", "dataset.json", "splits_final.json"),
    "finetune": ("nnUNetPlans.json", "dataset.json", "splits_final.json"),
    "splits": ("dataset.json",),
    "predict": ("survival_calibration.json",),
    "export": ("survival_calibration.json",),
    "predict_statistical": ("model.json",),
    "explain": ("provenance.json",),
}

_SLOW = ("predict", "export", "explain")


@pytest.mark.parametrize(
    ("command", "name"), [(command, name) for command, names in _TRAINED_CASES.items() for name in names]
)
def test_commands_on_a_trained_model(
    trained: TrainedModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    name: str,
) -> None:
    folder, preprocessed = trained.folder, trained.project.preprocessed / TRAINED
    statistical = folder.parent / "TumourVolume__nnUNetPlans__3d_fullres" / "fold_0"
    file = {
        "survival_calibration.json": folder / name,
        "model.json": statistical / name,
        "provenance.json": folder / "fold_0" / "explanation" / name,
    }.get(name, preprocessed / name)
    if not file.is_file():
        file.parent.mkdir(exist_ok=True)
        file.write_text("{}")
    trainer, device = ["-tr", _MODEL[1]], ["-device", "cpu"]
    images = str(trained.project.raw / TRAINED / "imagesTr")
    labels = str(trained.project.raw / TRAINED / "labelsTr")
    run: Callable[[], int] = {
        "normalization": lambda: set_normalization.main(["-d", "902", "-o", "copy", "--overwrite"]),
        "fit": lambda: fit_statistical.main(["902", "3d_fullres", "0", "-tr", "TumourVolume", *device,
                                             "--disable_tta", "--overwrite"]),
        "finetune": lambda: finetune_survival.main(["902", "3d_fullres", "0", *device]),
        "splits": lambda: make_splits.main(["-d", "902", "-k", "3"]),
        "predict": lambda: predict_survival.main(["-i", images, "-o", str(tmp_path / "out"), "-d", "902", "-c",
                                                  "3d_fullres", *device, *_MODEL]),
        "export": lambda: export_model.main(
            ["-d", "902", "-c", "3d_fullres", "-o", str(tmp_path / "model.zip"), *_MODEL]),
        "predict_statistical": lambda: predict_statistical.main(
            ["-d", "902", "-c", "3d_fullres", "-tr", "TumourVolume", "-f", "0", "-o", str(tmp_path / "r.csv"),
             "--masks", labels]),
        "explain": lambda: explain.main(["902", "3d_fullres", "0", *trainer, *device]),
    }[command]  # fmt: skip
    # Those that load checkpoints first take a second each.
    few = ("null", "a list of null", "brackets without end") if command in _SLOW else MISSHAPEN
    check_every_kind(file, run, capsys, few)


@pytest.mark.parametrize("kind", MISSHAPEN)
def test_files_of_other_commands_are_named_or_made_again(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "settings.json"

    def spoil(name: str) -> Path:
        (tmp_path / name).write_bytes(MISSHAPEN[kind](b'{"n": 1}'))
        return tmp_path / name

    readers: dict[str, Callable[[], object]] = {
        "settings.json": lambda: BenchmarkSettings("D", "3d_fullres").check(tmp_path),
        "tables.json": lambda: read_benchmark(tmp_path),
        "conversion.json": lambda: settings_in(tmp_path / "conversion.json"),
        "demo.json": lambda: DemoProgress.begin_or_continue(tmp_path, 3, 3),
        "survival_config.json": lambda: SurvivalConfig.of_fold(tmp_path),
        "provenance.json": lambda: ExplanationFolder(tmp_path).begin({}, {}, overwrite=False),
    }
    for name, read in readers.items():
        file = spoil(name)
        if (name, kind) == ("survival_config.json", "an object without entries"):
            continue  # all settings are the defaults
        with pytest.raises(ValueError, match=name):
            read()
    assert read_case(spoil("case.json")) is None
    (tmp_path / "steps").mkdir()
    (tmp_path / "steps" / "step.json").write_bytes(MISSHAPEN[kind](b'{"exit_code": 1}'))
    assert read_record(tmp_path / "steps" / "step.json") == {}
    assert CaseTable(file := spoil("table.csv")).read().empty, file


def test_what_is_whole_is_read(tmp_path: Path) -> None:
    file = tmp_path / "case.json"
    file.write_text('{"made_from": {}}')
    assert read_case(file) == {"made_from": {}}
    settings = {
        "grid": "iso", "spacing_xyz_mm": [1, 1, 1.5], "head_and_neck": False, "field_mm": None, "seed": 0,
        "labels": {"tumour": 1},
    }  # fmt: skip
    file.write_text(json.dumps({"settings": settings, "cases": {}}))
    assert settings_in(file).spacing_xyz_mm == (1, 1, 1.5)
    assert cases_in(file) == {} and source_in(file) is None
    for name, value in (
        ("spacing_xyz_mm", [1, 1, -1]),
        ("grid", "x"),
        ("seed", "x"),
        ("labels", {"a": None}),
    ):
        file.write_text(json.dumps({"settings": settings | {name: value}}))
        with pytest.raises(ValueError, match=rf"case\.json .*not usable: settings\.{name}"):
            settings_in(file)
