"""The Stage-I trainer inside nnU-Net: schedule, seeds, checkpoints, resuming, regions, ignore label, 2D."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.run.load_pretrained_weights import load_pretrained_weights
from nnunetv2.training.nnUNetTrainer import nnUNetTrainer

from nnunetv2_adamss.networks.adamss import AdaMSS
from nnunetv2_adamss.trainers import AdaMSSSegTrainer, AdaMSSSegTrainer_ShortSchedule
from tests.nnunet_project import NnunetProject
from tests.trainers.short_trainers.adamss_test_trainers import AdaMSSSegTrainer_ThreeEpochs

# nnU-Net's worker processes are forked from a process that torch has given threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


@pytest.fixture
def project(
    nnunet_environment: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> NnunetProject:
    """The tiny project with results of its own, loading data in this process."""
    monkeypatch.setenv("nnUNet_results", str(tmp_path))
    monkeypatch.setenv("nnUNet_n_proc_DA", "0")
    return nnunet_environment


def make_trainer(
    project: NnunetProject,
    trainer_class: type[AdaMSSSegTrainer] = AdaMSSSegTrainer_ThreeEpochs,
    configuration: str = "3d_fullres",
    fold: int | str = 0,
    **changes: Any,
) -> AdaMSSSegTrainer:
    folder = project.preprocessed / "Dataset901_Tiny"
    plans = json.loads((folder / "nnUNetPlans.json").read_text()) | {"continue_training": False}
    dataset_json = json.loads((folder / "dataset.json").read_text()) | changes
    return trainer_class(plans, configuration, fold, dataset_json, torch.device("cpu"))


def weights(trainer: AdaMSSSegTrainer) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.network.state_dict().items()}


def log_of(trainer: AdaMSSSegTrainer) -> str:
    """All logs of a fold."""
    return "".join(file.read_text() for file in Path(trainer.output_folder).glob("training_log_*.txt"))


class Killed(BaseException):
    """Stands for a signal that ends the process."""


def die() -> None:
    raise Killed


def resume(project: NnunetProject, killed: AdaMSSSegTrainer) -> AdaMSSSegTrainer:
    """A new trainer, as --c makes it from the killed one's latest checkpoint."""
    resumed = make_trainer(project)
    resumed.load_checkpoint(str(Path(killed.output_folder) / "checkpoint_latest.pth"))
    return resumed


def test_the_schedule_is_the_papers(project: NnunetProject) -> None:
    trainer = make_trainer(project, AdaMSSSegTrainer)
    trainer.initialize()
    assert trainer.num_epochs * trainer.num_iterations_per_epoch == 10_000
    assert trainer.recipe.schedule.learning_rates == (1e-4, 5e-5, 1e-5)
    assert isinstance(trainer.optimizer, torch.optim.Adam)
    assert trainer.optimizer.defaults["weight_decay"] == 0
    assert not trainer.enable_deep_supervision
    assert isinstance(trainer.network, AdaMSS)


def test_where_nothing_is_preprocessed_by_the_plan_another_one_may_have_been_meant(
    project: NnunetProject,
) -> None:
    trainer = make_trainer(project)
    trainer.preprocessed_dataset_folder = str(project.preprocessed / "Dataset901_Tiny" / "other_3d_fullres")
    with pytest.raises(
        ValueError, match="no preprocessed cases in .*other_3d_fullres.* choose with -p the plan"
    ):
        trainer.initialize()


def test_the_short_variant_keeps_mirroring_in_training_and_drops_it_in_prediction(
    project: NnunetProject,
) -> None:
    trainer = make_trainer(project, AdaMSSSegTrainer_ShortSchedule)
    *_, mirror_axes = trainer.configure_rotation_dummyDA_mirroring_and_inital_patch_size()
    assert mirror_axes == (0, 1, 2)
    assert trainer.inference_allowed_mirroring_axes is None
    assert trainer.recipe.schedule.learning_rates[0] == 1e-3


def test_initial_weights_come_from_a_seed_and_leave_the_callers_random_numbers_alone(
    project: NnunetProject,
) -> None:
    torch.manual_seed(5)
    expected_draw = torch.rand(3)
    torch.manual_seed(5)
    first, second = make_trainer(project), make_trainer(project)
    first.initialize()
    assert torch.equal(torch.rand(3), expected_draw)
    second.initialize()
    assert all(
        torch.equal(a, b) for a, b in zip(weights(first).values(), weights(second).values(), strict=True)
    )


def test_a_training_says_once_that_its_split_does_not_serve_stage_two_and_continues(
    project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = tmp_path / "raw" / "Dataset901_Tiny"
    raw.mkdir(parents=True)
    (raw / "survival.csv").write_text("case_id,time,event\ncase_0,100,1\n")
    monkeypatch.setenv("nnUNet_raw", str(raw.parent))
    trainer = make_trainer(project)
    trainer.on_train_start()
    assert log_of(trainer).count("run adamss_make_splits -d 901 before Stage I") == 1
    of_all_cases = make_trainer(project, fold="all")
    of_all_cases.on_train_start()
    assert "adamss_make_splits" not in log_of(of_all_cases)


@pytest.mark.usefixtures("progress_plots")
def test_a_training_leaves_complete_checkpoints_that_load_without_unpickling_objects(
    project: NnunetProject,
) -> None:
    trainer = make_trainer(project)
    trainer.run_training()
    folder = Path(trainer.output_folder)
    assert {path.name for path in folder.glob("checkpoint*")} == {
        "checkpoint_best.pth",
        "checkpoint_final.pth",
    }
    assert (folder / "progress.png").is_file()
    for name in ("checkpoint_best.pth", "checkpoint_final.pth"):
        checkpoint = torch.load(folder / name, weights_only=True)
        assert checkpoint["trainer_name"] == "AdaMSSSegTrainer_ThreeEpochs"
    fingerprint = json.loads((folder.parent / "dataset_fingerprint.json").read_text())
    ct = fingerprint["foreground_intensity_properties_per_channel"]["0"]
    window = f"{ct['percentile_00_5']:.0f} to {ct['percentile_99_5']:.0f} HU"
    assert (
        log_of(trainer).count(f"The plan clips CT to {window}, a window that nnU-Net fits to the tumours")
        == 1
    )
    log = checkpoint["logging"]
    assert log["lrs"] == [1e-4, 5e-5, 1e-5]
    ranks = list(zip(log["mean_fg_dice"], (-loss for loss in log["val_losses"]), strict=True))
    best = torch.load(folder / "checkpoint_best.pth", weights_only=True)
    assert best["current_epoch"] - 1 == ranks.index(max(ranks))


def test_a_training_killed_in_an_epoch_repeats_only_that_epoch(
    project: NnunetProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer(project)
    train_step = trainer.train_step

    def die_in_the_last_epoch(batch: dict[str, Any]) -> dict[str, Any]:
        if trainer.current_epoch == 2:
            raise Killed
        return train_step(batch)

    monkeypatch.setattr(trainer, "train_step", die_in_the_last_epoch)
    with pytest.raises(Killed):
        trainer.run_training()

    latest = Path(trainer.output_folder) / "checkpoint_latest.pth"
    saved_weights = torch.load(latest, weights_only=True)["network_weights"]
    resumed = resume(project, trainer)
    assert resumed.current_epoch == 2
    assert all(torch.equal(weights(resumed)[name], saved_weights[name]) for name in saved_weights)
    resumed.run_training()
    assert log_of(resumed).count("The plan clips CT") == 1, "it is said once, when the training begins"
    log = resumed.logger.get_checkpoint()
    assert {len(values) for values in log.values()} == {3}
    assert log["lrs"][2] == resumed.lr_scheduler.learning_rate(2)
    assert (latest.parent / "checkpoint_final.pth").is_file()


def test_killed_while_saving_no_partial_checkpoint_stands_under_a_final_name(
    project: NnunetProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer(project)
    trainer.initialize()
    folder = Path(trainer.output_folder)
    trainer.save_checkpoint(str(folder / "checkpoint_latest.pth"))
    complete = (folder / "checkpoint_latest.pth").read_bytes()

    def die_half_way(checkpoint: object, filename: str) -> None:
        Path(filename).write_bytes(b"half a checkpoint")
        raise Killed

    with monkeypatch.context() as context:
        context.setattr(torch, "save", die_half_way)
        with pytest.raises(Killed):
            trainer.save_checkpoint(str(folder / "checkpoint_latest.pth"))
    assert (folder / "checkpoint_latest.pth").read_bytes() == complete

    trainer.on_train_start()
    assert not list(folder.glob("*.unfinished"))


def test_what_other_commands_left_unfinished_in_the_folder_is_not_touched(project: NnunetProject) -> None:
    trainer = make_trainer(project)
    others = Path(trainer.output_folder) / "radiomics_predicted.csv.here_1.unfinished"
    others.mkdir()
    (Path(trainer.output_folder) / "checkpoint_best.pth.unfinished").touch()
    trainer.on_train_start()
    assert list(Path(trainer.output_folder).glob("*.unfinished")) == [others]


def test_a_training_continues_and_is_validated_on_its_own_split_only(project: NnunetProject) -> None:
    trainer = make_trainer(project)
    trainer.on_train_start()
    trainer.save_checkpoint(str(Path(trainer.output_folder) / "checkpoint_latest.pth"))
    resume(project, trainer).do_split()
    splits = project.preprocessed / "Dataset901_Tiny" / "splits_final.json"
    before = splits.read_text()
    first, *others = json.loads(before)
    moved = {"train": first["train"][1:] + first["val"], "val": first["train"][:1]}
    splits.write_text(json.dumps([moved, *others]))
    try:
        resumed = resume(project, trainer)
        with pytest.raises(ValueError, match="splits_final.json has changed since this training began"):
            resumed.do_split()
        del resumed.my_init_kwargs["training_cases"]
        assert resumed.do_split() == (moved["train"], moved["val"]), "older checkpoints do not say"
    finally:
        splits.write_text(before)


def test_another_gpus_process_leaves_the_first_ones_unfinished_checkpoint_alone(
    project: NnunetProject,
) -> None:
    trainer = make_trainer(project)
    trainer.initialize()
    trainer.local_rank = 1
    path = Path(trainer.output_folder) / "checkpoint_latest.pth"
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_bytes(b"still being written")
    trainer.save_checkpoint(str(path))
    assert unfinished.exists()
    assert not path.exists()


def test_without_checkpointing_a_training_writes_none(project: NnunetProject) -> None:
    trainer = make_trainer(project)
    trainer.disable_checkpointing = True
    trainer.num_epochs = 1
    trainer.run_training()
    assert not list(Path(trainer.output_folder).glob("checkpoint*"))


def test_killed_after_the_last_epoch_nothing_is_repeated(
    project: NnunetProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer(project)
    monkeypatch.setattr(trainer, "on_train_end", die)
    with pytest.raises(Killed):
        trainer.run_training()
    resumed = resume(project, trainer)
    assert resumed.current_epoch == resumed.num_epochs == 3


def test_killed_between_an_epochs_two_checkpoints_the_best_one_is_mended_on_resuming(
    project: NnunetProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = make_trainer(project)
    monkeypatch.setattr(trainer, "_save_if_best", die)
    with pytest.raises(Killed):
        trainer.run_training()
    folder = Path(trainer.output_folder)
    assert not (folder / "checkpoint_best.pth").exists()

    resumed = resume(project, trainer)
    resumed.on_train_start()
    best = torch.load(folder / "checkpoint_best.pth", weights_only=True)
    assert best["current_epoch"] == resumed.current_epoch == 1


def test_a_score_that_is_not_a_number_never_replaces_the_best(project: NnunetProject) -> None:
    trainer = make_trainer(project)
    trainer.initialize()
    for epoch, score in enumerate([0.4, math.nan, 0.3]):
        trainer.current_epoch = epoch
        for key in ("train_losses", "val_losses", "lrs", "epoch_start_timestamps"):
            trainer.logger.log(key, 0.0, epoch)
        trainer.logger.log("mean_fg_dice", score, epoch)
        trainer.logger.log("dice_per_class_or_region", [score], epoch)
        trainer.on_epoch_end()
    best = torch.load(Path(trainer.output_folder) / "checkpoint_best.pth", weights_only=True)
    assert best["current_epoch"] == 1


def test_a_checkpoint_of_another_network_is_refused_in_one_sentence(project: NnunetProject) -> None:
    trainer = make_trainer(project)
    trainer.initialize()
    other = {
        "network_weights": torch.nn.Linear(2, 2).state_dict(),
        "init_args": {},
        "current_epoch": 1,
        "logging": {},
        "_best_ema": None,
    }
    path = Path(trainer.output_folder) / "other.pth"
    torch.save(other, path)
    with pytest.raises(ValueError, match="belong to another network or plan"):
        trainer.load_checkpoint(str(path))


def test_pretrained_weights_fill_all_but_a_segmentation_head_of_other_labels(project: NnunetProject) -> None:
    pretrained = make_trainer(project, labels={"background": 0, "tumour": 1})
    pretrained.initialize()
    for parameter in pretrained.network.parameters():
        torch.nn.init.normal_(parameter)
    path = Path(pretrained.output_folder) / "pretrained.pth"
    pretrained.save_checkpoint(str(path))

    trainer = make_trainer(project)
    trainer.initialize()
    before = weights(trainer)
    load_pretrained_weights(trainer.network, str(path))

    after, expected = weights(trainer), weights(pretrained)
    for name in after:
        source = before if "decoder.seg_layers" in name else expected
        assert torch.equal(after[name], source[name]), name


KINDS_OF_LABELS = pytest.mark.parametrize(
    ("configuration", "labels", "regions_class_order"),
    [
        ("2d", {"background": 0, "tumour": 1, "core": 2, "ignore": 3}, None),
        ("3d_fullres", {"background": 0, "tumour": 1, "core": 2, "unlabelled": 3}, None),
        ("3d_fullres", {"background": 0, "whole": [1, 2], "core": 2, "rest": 3}, [1, 2, 3]),
        ("3d_fullres", {"background": 0, "whole": [1, 2], "core": 2, "ignore": 3}, [1, 2]),
    ],
    ids=["2d", "no ignore label", "regions", "regions with ignore label"],
)


def dataset_changes(labels: dict[str, Any], regions_class_order: list[int] | None) -> dict[str, Any]:
    if regions_class_order is None:
        return {"labels": labels}
    return {"labels": labels, "regions_class_order": regions_class_order}


@KINDS_OF_LABELS
def test_other_configurations_and_kinds_of_labels_train(
    project: NnunetProject, configuration: str, labels: dict[str, Any], regions_class_order: list[int] | None
) -> None:
    trainer = make_trainer(
        project, configuration=configuration, **dataset_changes(labels, regions_class_order)
    )
    trainer.num_epochs = 1
    trainer.run_training()
    log = trainer.logger.get_checkpoint()
    assert math.isfinite(log["train_losses"][0])
    assert math.isfinite(log["val_losses"][0])


@pytest.mark.slow
@KINDS_OF_LABELS
def test_other_configurations_and_kinds_of_labels_validate_on_fold_all(
    project: NnunetProject,
    monkeypatch: pytest.MonkeyPatch,
    configuration: str,
    labels: dict[str, Any],
    regions_class_order: list[int] | None,
) -> None:
    monkeypatch.setattr(nnUNetTrainer, "default_num_processes", 1)
    changes = dataset_changes(labels, regions_class_order)
    trainer = make_trainer(project, configuration=configuration, fold="all", **changes)
    trainer.num_epochs = 1
    trainer.run_training()
    trainer.perform_actual_validation()
    validation = Path(trainer.output_folder) / "validation"
    masks = [sitk.GetArrayFromImage(sitk.ReadImage(str(path))) for path in validation.glob("*.nii.gz")]
    assert len(masks) == 6
    assert {mask.shape for mask in masks} == {(24, 24, 24)}
    foreground = {name: label for name, label in labels.items() if name not in ("background", "ignore")}
    assert set(np.unique(masks)) <= {0, 1, 2, 3}
    assert len(json.loads((validation / "summary.json").read_text())["mean"]) == len(foreground)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning:torch")  # nnU-Net's search imports all its trainers
def test_two_folds_predict_together_as_the_mean_of_their_logits(project: NnunetProject) -> None:
    for fold in (0, 1):
        # A trainer that nnU-Net finds again by name when it predicts.
        trainer = make_trainer(project, AdaMSSSegTrainer_ShortSchedule, fold=fold)
        trainer.num_epochs, trainer.num_iterations_per_epoch, trainer.num_val_iterations_per_epoch = 1, 2, 1
        trainer.run_training()
    image = torch.randn(2, 24, 24, 24)

    def logits(folds: tuple[int, ...]) -> torch.Tensor:
        predictor = nnUNetPredictor(device=torch.device("cpu"), use_mirroring=False, allow_tqdm=False)
        folder = str(Path(trainer.output_folder).parent)
        predictor.initialize_from_trained_model_folder(folder, folds, "checkpoint_best.pth")
        return predictor.predict_logits_from_preprocessed_data(image)

    mean = (logits((0,)) + logits((1,))) / 2
    torch.testing.assert_close(logits((0, 1)), mean, rtol=1e-3, atol=1e-3)
