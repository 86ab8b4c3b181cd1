"""The Stage-II trainer inside nnU-Net: transfer, masks, seeds, resuming, checkpoints, results, refusals."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.networks.adamss import AdaMSSSurvival
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.training_data.samples import WholeRegions
from nnunetv2_adamss.survival.tumour_region import stage_one_masks
from nnunetv2_adamss.survival.tumour_region.region import Region
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS, epoch_predictions_file
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction
from nnunetv2_adamss.trainers import (
    AdaMSSSurvTrainer,
    AdaMSSSurvTrainer_ImageOnly,
    AdaMSSSurvTrainer_NoClinical,
    AdaMSSSurvTrainer_NoRadiomics,
    AdaMSSSurvTrainer_ShortSchedule,
)
from nnunetv2_adamss.trainers.ranks import Ranks
from tests.nnunet_project import NnunetProject, read_plans
from tests.survival_project import DATASET, dataset_json, splits, survival_csv, write_stage_one
from tests.trainers.short_trainers.adamss_test_survival_trainers import AdaMSSSurvTrainer_TwoIterations

pytestmark = [
    # nnU-Net's search for the Stage-I trainer imports all of its trainers.
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]


def use(project: NnunetProject, results: Path, monkeypatch: pytest.MonkeyPatch) -> NnunetProject:
    """The phantoms with results of their own and a Stage-I network of fold 0, loading data in this process."""
    project.use(monkeypatch)
    monkeypatch.setenv("nnUNet_results", str(results))
    monkeypatch.setenv("nnUNet_n_proc_DA", "0")
    write_stage_one(project)
    return project


@pytest.fixture
def project(
    survival_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> NnunetProject:
    return use(survival_project, tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def reference(survival_project: NnunetProject, tmp_path_factory: pytest.TempPathFactory) -> AdaMSSSurvTrainer:
    """One finished training with the default settings, which tests look at and compare with."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return trained(use(survival_project, tmp_path_factory.mktemp("reference"), monkeypatch))


def make_trainer(
    project: NnunetProject,
    trainer_class: type[AdaMSSSurvTrainer] = AdaMSSSurvTrainer_TwoIterations,
    fold: int | str = 0,
    **settings: Any,
) -> AdaMSSSurvTrainer:
    plans = read_plans(project, DATASET)
    trainer = trainer_class(plans, "3d_fullres", fold, dataset_json(project), torch.device("cpu"))
    settings = {"mask_source": "groundtruth", **settings}
    SurvivalConfig(**settings).save(Path(trainer.output_folder))
    return trainer


def trained(project: NnunetProject, **settings: Any) -> AdaMSSSurvTrainer:
    trainer = make_trainer(project, **settings)
    trainer.run_training()
    trainer.perform_actual_validation()
    return trainer


def predictions(trainer: AdaMSSSurvTrainer) -> pd.DataFrame:
    return pd.read_csv(Path(trainer.output_folder) / "validation" / "survival_predictions.csv")


def summary(trainer: AdaMSSSurvTrainer) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((Path(trainer.output_folder) / "survival_summary.json").read_text())
    return content


def log(trainer: AdaMSSSurvTrainer) -> str:
    return Path(trainer.log_file).read_text()


class Killed(BaseException):
    """Stands for a signal that ends the process."""


def test_the_schedule_is_the_papers(project: NnunetProject) -> None:
    trainer = make_trainer(project, AdaMSSSurvTrainer_NoRadiomics)
    trainer.initialize()
    assert trainer.num_epochs * trainer.num_iterations_per_epoch == 10_000
    assert trainer.recipe.schedule.learning_rates == (5e-5, 1e-5, 1e-6)
    assert isinstance(trainer.optimizer, torch.optim.Adam)
    assert isinstance(trainer.network, AdaMSSSurvival)
    assert trainer.region_size == (32, 32, 32)
    assert trainer.crop_size == (24, 24, 24)


def test_the_short_variant_has_a_higher_rate_and_fewer_iterations(project: NnunetProject) -> None:
    trainer = make_trainer(project, AdaMSSSurvTrainer_ShortSchedule)
    assert trainer.num_epochs * trainer.num_iterations_per_epoch == 400
    assert (
        trainer.recipe.schedule.learning_rates[0] == 10 * AdaMSSSurvTrainer.recipe.schedule.learning_rates[0]
    )


def test_encoder_and_decoder_start_as_stage_one_left_them(project: NnunetProject) -> None:
    trainer = make_trainer(project)
    trainer.initialize()
    file = Path(trainer.output_folder).parents[1] / "AdaMSSSegTrainer__nnUNetPlans__3d_fullres/fold_0"
    stage_one = torch.load(file / "checkpoint_best.pth", weights_only=True)["network_weights"]
    own = trainer.network.state_dict()
    trunk = [name for name in own if not name.startswith("survival_head.")]
    assert all(torch.equal(own[name], stage_one[name]) for name in trunk)
    assert f"All {len(trunk)} tensors of encoder and decoder come from Stage I" in log(trainer)


def test_a_training_leaves_checkpoints_predictions_summary_and_plot(
    survival_project: NnunetProject, reference: AdaMSSSurvTrainer
) -> None:
    trainer, folder = reference, Path(reference.output_folder)
    assert {path.name for path in folder.glob("checkpoint*")} == {
        "checkpoint_best.pth",
        "checkpoint_final.pth",
    }
    for name in ("checkpoint_best.pth", "checkpoint_final.pth"):
        checkpoint = torch.load(folder / name, weights_only=True)
        assert checkpoint["init_args"]["survival"]["interval_edges"] == summary(trainer)["interval_edges"]
    assert checkpoint["logging"]["lrs"] == [5e-5, 1e-5, 1e-6]
    assert (folder / "progress.png").stat().st_size > 10_000
    table = predictions(trainer)
    edges = summary(trainer)["interval_edges"]
    assert list(table) == [
        "case_id",
        "risk_score",
        "predicted_time",
        *(f"survival_at_{e:g}" for e in edges[1:]),
    ]
    assert sorted(table["case_id"]) == splits(survival_project)[0]["val"]
    curves = table.iloc[:, 3:].to_numpy()
    assert ((curves >= 0) & (curves <= 1)).all()
    assert (curves[:, 1:] <= curves[:, :-1]).all()
    assert table["predicted_time"].between(0, edges[-1]).all()
    assert table["risk_score"].rank().tolist() == table["predicted_time"].rank(ascending=False).tolist()


def test_the_summary_carries_the_last_epoch_unmarked_and_the_best_one_marked(
    reference: AdaMSSSurvTrainer,
) -> None:
    found = summary(reference)
    scores = reference.logger.get_value("val_c_index", step=None)
    assert found["c_index"]["last"]["epoch"] == 2
    assert found["c_index"]["last"]["c_index"] == pytest.approx(scores[-1], abs=1e-9)
    assert found["c_index"]["best"]["c_index"] == pytest.approx(max(scores), abs=1e-9)
    assert not found["c_index"]["last"]["selected_on_this_fold"]
    assert found["c_index"]["best"]["selected_on_this_fold"]
    assert found["predictions_from"] == "last"
    assert found["cases"]["training"]["cases"] == 8
    assert found["cases"]["validation"]["cases"] == 4
    assert 0 < found["c_index"]["last"]["n_pairs"] <= 6
    assert "comparable pairs" in found["c_index"]["last"]["reason"]


def test_the_predictions_of_both_epochs_are_kept_beside_those_of_the_selected_one(
    reference: AdaMSSSurvTrainer,
) -> None:
    found = {
        name: pd.read_csv(Path(reference.output_folder) / epoch_predictions_file(name))
        for name in CHECKPOINTS
    }
    pd.testing.assert_frame_equal(found["last"], predictions(reference), rtol=0, atol=0)
    for name, table in found.items():
        time, event = reference.setup.table.time_and_event(table["case_id"].tolist())
        score = harrell_c(table["risk_score"].to_numpy(), event, time).c_index
        assert score == summary(reference)["c_index"][name]["c_index"]
    assert not found["best"]["risk_score"].equals(found["last"]["risk_score"])


@pytest.mark.slow
def test_two_trainings_of_one_seed_predict_the_same_however_many_processes_load_the_data(
    project: NnunetProject, reference: AdaMSSSurvTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("nnUNet_n_proc_DA", "2")
    pd.testing.assert_frame_equal(predictions(trained(project)), predictions(reference), rtol=0, atol=0)


@pytest.mark.slow
def test_another_seed_predicts_something_else(project: NnunetProject, reference: AdaMSSSurvTrainer) -> None:
    other = predictions(trained(project, seed=7))
    assert not other["risk_score"].equals(predictions(reference)["risk_score"])


@pytest.mark.slow
def test_a_training_killed_in_an_epoch_ends_as_if_it_had_not_been(
    project: NnunetProject, reference: AdaMSSSurvTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = make_trainer(project)
    train_step = killed.train_step

    def die_in_the_second_step_of_the_last_epoch(batch: dict[str, Any]) -> dict[str, Any]:
        if killed.current_epoch == 2 and len(steps) == 5:
            raise Killed
        steps.append(1)
        return train_step(batch)

    steps: list[int] = []
    monkeypatch.setattr(killed, "train_step", die_in_the_second_step_of_the_last_epoch)
    with pytest.raises(Killed):
        killed.run_training()

    resumed = AdaMSSSurvTrainer_TwoIterations(
        read_plans(project, DATASET), "3d_fullres", 0, dataset_json(project), torch.device("cpu")
    )
    # The file is not needed: settings come from the checkpoint.
    (Path(resumed.output_folder) / "survival_config.json").unlink()
    resumed.load_checkpoint(str(Path(resumed.output_folder) / "checkpoint_latest.pth"))
    assert resumed.current_epoch == 2
    resumed.run_training()
    resumed.perform_actual_validation()
    pd.testing.assert_frame_equal(predictions(resumed), predictions(reference), rtol=1e-6)


def test_a_finished_training_is_scored_again_without_its_stage_one_network(project: NnunetProject) -> None:
    trainer = trained(project)
    expected = predictions(trainer)
    for file in Path(trainer.output_folder).parents[1].glob("AdaMSSSegTrainer__*/fold_0/checkpoint_*"):
        file.unlink()
    again = make_trainer(project)
    again.load_checkpoint(str(Path(again.output_folder) / "checkpoint_final.pth"))
    again.perform_actual_validation()
    pd.testing.assert_frame_equal(predictions(again), expected, rtol=1e-6)


@pytest.mark.slow
def test_inner_selection_does_not_look_at_the_validation_fold(project: NnunetProject) -> None:
    trainer = trained(project, select="inner", seed=1)
    fold = trainer.survival_fold
    assert not {*fold.scoring_cases} & {*fold.validation_cases}
    found = summary(trainer)
    assert found["predictions_from"] == "best"
    assert not found["c_index"]["best"]["selected_on_this_fold"]
    assert found["cases"]["inner"]["cases"] == len(fold.scoring_cases)


@pytest.mark.slow
def test_fold_all_keeps_the_last_epoch_and_reports_no_c_index(project: NnunetProject) -> None:
    write_stage_one(project, "all")
    trainer = trained(project, fold="all")
    folder = Path(trainer.output_folder)
    assert {path.name for path in folder.glob("checkpoint*")} == {"checkpoint_final.pth"}
    assert summary(trainer)["c_index"] == {}
    assert "trains on every case" in summary(trainer)["reason"]
    assert not (folder / "validation" / "survival_predictions.csv").exists()


def own_features(project: NnunetProject, folder: Path, **changes: Any) -> str:
    """A file with two features of every case."""
    cases = pd.read_csv(survival_csv(project))["case_id"]
    columns = {"case_id": cases, "x": range(12), "y": [None, *range(11)]} | changes
    pd.DataFrame(columns).to_csv(folder / "features.csv", index=False)
    return str(folder / "features.csv")


ALL_COVARIATES = {"feature_selection": "none", "clinical_selection": "none"}


def test_covariates_reach_the_network_and_the_results(
    project: NnunetProject, reference: AdaMSSSurvTrainer, tmp_path: Path
) -> None:
    file = own_features(project, tmp_path)
    trainer = trained(project, features_csv=[file], **ALL_COVARIATES)
    names = trainer.survival_fold.covariates.names
    assert names[-2:] == ["x", "y"]
    assert "age" in names
    assert trainer.network.survival_head.hidden.in_features == 16 + 32 + 64 + len(names)
    folder = Path(trainer.output_folder)
    checkpoint = torch.load(folder / "checkpoint_final.pth", weights_only=True)
    assert checkpoint["init_args"]["survival"]["covariates"]["features"]["names"] == ["x", "y"]
    assert not predictions(trainer)["risk_score"].equals(predictions(reference)["risk_score"])
    assert summary(trainer)["covariates"]["inputs"] == names
    assert (
        summary(trainer)["c_index_covariates_only"]["n_pairs"]
        == summary(trainer)["c_index"]["last"]["n_pairs"]
    )
    assert "C-index of a Cox model on the covariates alone" in log(trainer)
    alone = pd.read_csv(folder / "validation" / "covariates_only_cox_predictions.csv")
    assert sorted(alone["case_id"]) == sorted(predictions(trainer)["case_id"])
    assert (folder / "hazard_ratios.csv").is_file()

    # Another value of one patient changes the prediction of that patient alone, by the same network.
    case_id = trainer.survival_fold.validation_cases[0]
    before = predictions(trainer).set_index("case_id")["risk_score"]
    shuffled = {c: v[::-1].copy() if c == case_id else v for c, v in trainer.cases.covariates.items()}
    trainer.cases = replace(trainer.cases, covariates=shuffled)
    trainer.perform_actual_validation()
    after = predictions(trainer).set_index("case_id")["risk_score"]
    assert list(before.index[before != after]) == [case_id]


@pytest.mark.slow
def test_validation_cases_change_nothing_that_was_fitted_and_no_weight(
    project: NnunetProject, tmp_path: Path
) -> None:
    table = pd.read_csv(survival_csv(project))
    is_validation = table["case_id"].isin(splits(project)[0]["val"])
    weights, fitted = [], []
    for factor, name in ((1, "before"), (100, "after")):
        folder = tmp_path / name
        folder.mkdir()
        changed = table.assign(
            time=table["time"] * np.where(is_validation, factor, 1),
            event=np.where(is_validation & (factor > 1), 1 - table["event"], table["event"]),
            age=table["age"] * np.where(is_validation, factor, 1),
        )
        changed.to_csv(folder / "survival.csv", index=False)
        x = np.arange(12.0) * np.where(is_validation, factor, 1)
        trainer = trained(
            project,
            survival_csv=str(folder / "survival.csv"),
            features_csv=[own_features(project, folder, x=x)],
            **ALL_COVARIATES,
        )
        checkpoint = torch.load(Path(trainer.output_folder) / "checkpoint_final.pth", weights_only=True)
        weights.append(checkpoint["network_weights"])
        fitted.append(
            {k: v for k, v in checkpoint["init_args"]["survival"].items() if k not in ("config", "sources")}
        )
    assert fitted[0] == fitted[1]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize(
    ("trainer_class", "names"),
    [
        (AdaMSSSurvTrainer_NoClinical, ["energy", "x", "y"]),
        (AdaMSSSurvTrainer_NoRadiomics, ["age", "x", "y"]),
        (AdaMSSSurvTrainer_ImageOnly, []),
    ],
)
def test_variants_look_at_less(
    project: NnunetProject, tmp_path: Path, trainer_class: type[AdaMSSSurvTrainer], names: list[str]
) -> None:
    cases = pd.read_csv(survival_csv(project))["case_id"]
    radiomics = pd.DataFrame({"case_id": cases, "energy": range(12)})
    radiomics.to_csv(write_stage_one(project) / "radiomics_groundtruth.csv", index=False)
    files = [own_features(project, tmp_path)] if names else []
    trainer = make_trainer(project, trainer_class, features_csv=files, **ALL_COVARIATES)
    trainer.initialize()
    found = trainer.survival_fold.covariates.names
    assert [name for name in found if name in ("age", "energy", "x", "y")] == names
    assert any("radiomics" in name for name in trainer.survival_fold.sources) == ("energy" in names)


def test_without_a_table_of_radiomics_it_says_how_to_get_one(project: NnunetProject) -> None:
    trainer = make_trainer(project, AdaMSSSurvTrainer)
    with pytest.raises(ValueError, match="no radiomics of this fold.* adamss_extract_radiomics"):
        trainer.initialize()


@pytest.mark.slow
def test_pooling_over_crops_is_another_prediction_of_the_same_network(
    project: NnunetProject, reference: AdaMSSSurvTrainer
) -> None:
    over_crops = trained(project, pool="crops")
    one, other = over_crops.network.state_dict(), reference.network.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not predictions(over_crops)["risk_score"].equals(predictions(reference)["risk_score"])


def test_padding_alone_does_not_move_a_risk(reference: AdaMSSSurvTrainer) -> None:
    """The images are 160 mm wide; regions of 160 and of 400 mm around the same point hold the same image."""
    cases = reference.cases
    assert cases is not None
    case_id = reference.survival_fold.validation_cases[0]
    start = (-2, -3, -1)
    risks = []
    for margin in (0, 24):
        region = Region(tuple(s - margin for s in start), (40 + 2 * margin,) * 3)
        regions = {case_id: region}
        sample = WholeRegions(replace(cases, regions=regions), reference.total_stride)[case_id]
        batch = {name: sample[name][None] for name in ("image", "valid", "covariates")}
        with torch.no_grad():
            logits = reference.validation_step(batch | {"case_id": [case_id]})
        risks.append(SurvivalPrediction.from_logits(logits, reference.survival_fold.edges).risk_score[0])
    assert abs(risks[0] - risks[1]) < 1e-3 * abs(risks[0])


def test_no_outcome_is_written_where_exported_models_carry_it(
    survival_project: NnunetProject, reference: AdaMSSSurvTrainer
) -> None:
    written = (Path(reference.output_folder) / "debug.json").read_text()
    table = pd.read_csv(survival_csv(survival_project))
    edges = {f"{edge:g}" for edge in reference.survival_fold.interval_edges}
    times = [f"{time:g}" for time in table["time"] if f"{time:g}" not in edges]
    assert times
    assert [time for time in times if re.search(rf"(?<![\d.]){re.escape(time)}(?![\d.])", written)] == []


# ----------------------------------------------------------------------------------------------- masks


def test_no_case_is_predicted_twice_by_one_checkpoint(
    project: NnunetProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted: list[str] = []
    record_exports(monkeypatch, predicted)
    trainer = with_masks(project)
    everyone = sorted(trainer.survival_fold.all_cases)
    assert sorted(predicted) == everyone
    with_masks(project)
    assert sorted(predicted) == everyone
    folder = Path(trainer.setup.masks.mask_file(everyone[0])).parent
    assert {path.name.split(".")[0] for path in folder.glob("*.nii.gz")} == {*everyone}
    assert json.loads((folder / "provenance.json").read_text())["mirroring"] is False


def test_masks_of_another_checkpoint_are_predicted_again(
    project: NnunetProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_masks(project)
    file = write_stage_one(project) / "checkpoint_best.pth"
    checkpoint = torch.load(file, weights_only=True)
    checkpoint["network_weights"]["decoder.seg_layers.bias"] += 1
    torch.save(checkpoint, file)
    predicted: list[str] = []
    record_exports(monkeypatch, predicted)
    trainer = with_masks(project)
    assert sorted(predicted) == sorted(trainer.survival_fold.all_cases)
    assert "made by another checkpoint or version of nnU-Net" in log(trainer)


def test_a_killed_prediction_keeps_the_masks_that_were_finished(
    project: NnunetProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    first: list[str] = []
    with monkeypatch.context() as patch:
        record_exports(patch, first, die_at=5)
        with pytest.raises(Killed):
            with_masks(project)
    second: list[str] = []
    record_exports(monkeypatch, second)
    trainer = with_masks(project)
    assert len(first) == 4
    assert sorted(first + second) == sorted(trainer.survival_fold.all_cases)


def with_masks(project: NnunetProject, mask_source: str = "predicted") -> AdaMSSSurvTrainer:
    """A trainer that has loaded its cases, as at the start of a training."""
    trainer = make_trainer(project, mask_source=mask_source, mirroring=False)
    trainer.initialize()
    trainer.get_dataloaders()
    return trainer


def record_exports(monkeypatch: pytest.MonkeyPatch, predicted: list[str], die_at: int | None = None) -> None:
    export = stage_one_masks.export_prediction_from_logits

    def recorded(*args: Any, **options: Any) -> None:
        if die_at is not None and len(predicted) + 1 >= die_at:
            raise Killed
        export(*args, **options)
        predicted.append(Path(args[5]).name)

    monkeypatch.setattr(stage_one_masks, "export_prediction_from_logits", recorded)


def test_out_of_fold_masks_come_from_the_fold_that_validates_the_case(project: NnunetProject) -> None:
    for fold in (1, 2):
        write_stage_one(project, fold)
    trainer = with_masks(project, "out_of_fold")
    for fold, split in enumerate(splits(project)):
        for case_id in split["val"]:
            assert f"fold_{fold}/stage1_masks" in trainer.setup.masks.mask_file(case_id).as_posix()
            assert trainer.setup.masks.mask_file(case_id).is_file()


def test_masks_from_a_folder_place_the_regions(project: NnunetProject, reference: AdaMSSSurvTrainer) -> None:
    ground_truth = project.preprocessed / DATASET / "gt_segmentations"
    found = predictions(trained(project, mask_source="folder", masks_dir=str(ground_truth)))
    pd.testing.assert_frame_equal(found, predictions(reference))


# ------------------------------------------------------------------------------------------- bad input


def test_cases_without_a_mask_in_the_folder_are_named(project: NnunetProject, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"12 of 12 cases have no mask in .*phantom000.* \(12 in all\)"):
        make_trainer(project, mask_source="folder", masks_dir=str(tmp_path)).initialize()


def test_a_missing_stage_one_checkpoint_is_named_with_the_command_that_makes_it(
    project: NnunetProject,
) -> None:
    with pytest.raises(
        ValueError, match="no Stage-I checkpoint .*fold_1.*nnUNetv2_train Dataset902_Phantoms"
    ):
        make_trainer(project, fold=1).initialize()
    with pytest.raises(ValueError, match="There is checkpoint_best.pth: choose it with -seg_chk"):
        make_trainer(project, seg_checkpoint="checkpoint_final.pth").initialize()


def change_stage_one(project: NnunetProject, change: Any) -> None:
    file = write_stage_one(project) / "checkpoint_best.pth"
    checkpoint = torch.load(file, weights_only=True)
    change(checkpoint)
    torch.save(checkpoint, file)


def test_a_stage_one_checkpoint_of_another_plan_is_refused(project: NnunetProject) -> None:
    def change(checkpoint: dict[str, Any]) -> None:
        checkpoint["init_args"]["plans"]["configurations"]["3d_fullres"]["spacing"] = [1, 1, 1]

    change_stage_one(project, change)
    with pytest.raises(ValueError, match=r"another plan .*\(different: spacing\)"):
        make_trainer(project).initialize()


def test_a_stage_one_checkpoint_without_our_decoder_is_refused(project: NnunetProject) -> None:
    change_stage_one(
        project, lambda checkpoint: checkpoint.update(network_weights={"encoder.x": torch.zeros(1)})
    )
    with pytest.raises(ValueError, match="has no AdaMSS decoder"):
        make_trainer(project).initialize()


def test_a_damaged_stage_one_checkpoint_is_refused(project: NnunetProject) -> None:
    file = write_stage_one(project) / "checkpoint_best.pth"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(
        ValueError, match=r"checkpoint_best.pth is not a checkpoint .* PyTorch cannot read it"
    ):
        make_trainer(project).initialize()


def test_a_two_dimensional_configuration_is_refused_before_a_folder_is_made(
    project: NnunetProject, tmp_path: Path
) -> None:
    plans = read_plans(project, DATASET)
    flat = dict(plans["configurations"]["3d_fullres"]) | {"patch_size": [32, 32]}
    flat["architecture"]["arch_kwargs"] |= {"strides": [[1, 1], [2, 2]], "kernel_sizes": [[3, 3]] * 2}
    plans["configurations"]["2d"] = flat
    with pytest.raises(ValueError, match="'2d' has 2D patches, but survival is learned from a 3D region"):
        AdaMSSSurvTrainer(plans, "2d", 0, dataset_json(project), torch.device("cpu"))
    assert not list(tmp_path.glob("*/AdaMSSSurv*"))


def test_more_gpus_than_cases_in_a_batch_are_refused(
    project: NnunetProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Ranks, "count", 3)
    with pytest.raises(ValueError, match="batch of 2 cannot be shared by 3 GPUs"):
        make_trainer(project).initialize()


def test_a_checkpoint_of_stage_one_is_not_a_survival_training(project: NnunetProject) -> None:
    stage_one = write_stage_one(project) / "checkpoint_best.pth"
    with pytest.raises(
        ValueError, match=r"not a checkpoint that a survival trainer .*not usable: init_args.survival"
    ):
        make_trainer(project).load_checkpoint(str(stage_one))


def test_nnunets_prediction_says_what_to_use_instead(project: NnunetProject) -> None:
    with pytest.raises(ValueError, match="predicts survival, not masks: use adamss_predict_survival"):
        AdaMSSSurvTrainer.build_network_architecture(None, None, 2, 2, enable_deep_supervision=False)


def test_weights_that_ran_away_score_worst_instead_of_ending_the_training(project: NnunetProject) -> None:
    trainer = make_trainer(project)
    trainer.initialize()
    trainer.on_train_start()
    trainer.on_epoch_start()
    trainer.on_validation_epoch_end([{case_id: [float("nan")] * trainer.survival_fold.n_intervals}
                                     for case_id in trainer.survival_fold.scoring_cases])  # fmt: skip
    assert pd.isna(trainer.logger.get_value("val_c_index", step=-1))
