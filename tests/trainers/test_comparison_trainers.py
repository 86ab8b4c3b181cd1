"""The comparison methods inside nnU-Net: schedules, what a training leaves, resuming, and predicting new patients."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from nnunetv2_adamss import trainers
from nnunetv2_adamss.networks.comparison import deepmtlr, tmss
from nnunetv2_adamss.networks.comparison.parts.cox_network import CoxNetwork
from nnunetv2_adamss.prediction.predict_patients import PredictionRequest, predict_patients
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.cox.baseline_hazard import baseline_hazard
from nnunetv2_adamss.trained_folds.fold_files import PREDICTED_MASKS, TRAINING_PREDICTIONS_FILE
from nnunetv2_adamss.trainers.finetune import FinetuneRequest, finetune_survival
from nnunetv2_adamss.trainers.objectives.cox import Cox
from nnunetv2_adamss.trainers.objectives.multi_task import MultiTask
from nnunetv2_adamss.trainers.survival_trainer import SurvivalTrainer
from tests.nnunet_project import NnunetProject, read_plans
from tests.survival_project import DATASET, dataset_json, splits, survival_csv, write_stage_one
from tests.trained_model import TrainedModel

pytestmark = [
    # nnU-Net's search for the Stage-I trainer imports all of its trainers.
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

TRAINERS = ("DeepMTSTrainer", "MDSNProxyTrainer", "DeepMTLRTrainer", "TMSSTrainer")
every_trainer = pytest.mark.parametrize("name", TRAINERS)
# One with Cox's loss, one with multi-task logistic regression, crops and masks.
both_losses = pytest.mark.parametrize("name", ["MDSNProxyTrainer", "TMSSTrainer"])


class Killed(BaseException):
    """Stands for a signal that ends the process."""


def use(project: NnunetProject, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.use(monkeypatch)
    monkeypatch.setenv("nnUNet_results", str(results))
    monkeypatch.setenv("nnUNet_n_proc_DA", "0")
    # The published sizes are more than a test has time for.
    monkeypatch.setattr(deepmtlr, "_CHANNELS", (2, 4, 8, 8))
    monkeypatch.setattr(tmss, "_FIRST_CHANNELS", 2)
    for size, value in {"n_hidden": 24, "n_mlp": 48, "n_layers": 4, "n_heads": 2}.items():
        monkeypatch.setitem(tmss.TMSS.__init__.__kwdefaults__, size, value)
    write_stage_one(project)


@pytest.fixture(scope="module")
def project(
    survival_project: NnunetProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NnunetProject]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        use(survival_project, tmp_path_factory.mktemp("comparison"), monkeypatch)
        yield survival_project


@cache
def two_iterations(name: str) -> type[SurvivalTrainer]:
    published = getattr(trainers, name)
    recipe = published.recipe.with_schedule(n_epochs=2, n_iterations=2, batch_size=4)
    return type(f"{name}_TwoIterations", (published,), {"recipe": recipe})


def make_trainer(project: NnunetProject, trainer_class: type[SurvivalTrainer]) -> SurvivalTrainer:
    plans = read_plans(project, DATASET)
    trainer = trainer_class(plans, "3d_fullres", 0, dataset_json(project), torch.device("cpu"))
    settings: dict[str, Any] = {"clinical_selection": "none", "mirroring": False, "seed": 7}
    config = SurvivalConfig.from_dict({**trainer.recipe.default_settings, **settings})
    config.save(Path(trainer.output_folder))
    return trainer


def trained(trainer: SurvivalTrainer) -> SurvivalTrainer:
    trainer.run_training()
    trainer.perform_actual_validation()
    return trainer


@pytest.fixture(scope="module")
def finished(project: NnunetProject) -> dict[str, SurvivalTrainer]:
    return {name: trained(make_trainer(project, two_iterations(name))) for name in TRAINERS}


def predictions(trainer: SurvivalTrainer) -> pd.DataFrame:
    return pd.read_csv(Path(trainer.output_folder) / "validation" / "survival_predictions.csv")


def curves(table: pd.DataFrame) -> np.ndarray:
    return table.filter(like="survival_at_").to_numpy()


@every_trainer
def test_a_training_leaves_survival_curves_that_fall_from_1(
    project: NnunetProject, finished: dict[str, SurvivalTrainer], name: str
) -> None:
    table = predictions(finished[name])
    assert sorted(table["case_id"]) == splits(project)[0]["val"]
    assert (curves(table)[:, 0] <= 1).all()
    assert (np.diff(curves(table)) <= 0).all()
    assert ((curves(table)[:, -1] >= 0) & (curves(table)[:, -1] < 1)).all()
    assert table["risk_score"].nunique() == len(table)


@every_trainer
def test_networks_that_segment_leave_masks_of_the_validation_cases(
    project: NnunetProject, finished: dict[str, SurvivalTrainer], name: str
) -> None:
    masks = sorted(path.name for path in (Path(finished[name].output_folder) / PREDICTED_MASKS).glob("*"))
    segments = isinstance(finished[name].objective, MultiTask)
    assert segments == (name in ("DeepMTSTrainer", "TMSSTrainer"))
    assert masks == ([f"{case_id}.nii.gz" for case_id in splits(project)[0]["val"]] if segments else [])


@every_trainer
def test_only_clinical_indicators_go_into_the_network_beside_the_image(
    finished: dict[str, SurvivalTrainer], name: str
) -> None:
    names = finished[name].survival_fold.covariates.names
    assert names
    assert not any("original" in name or "wavelet" in name for name in names)


def test_the_method_that_continues_with_risks_of_the_training_cases_gets_them(
    project: NnunetProject, finished: dict[str, SurvivalTrainer]
) -> None:
    files = {name: Path(t.output_folder) / TRAINING_PREDICTIONS_FILE for name, t in finished.items()}
    assert [name for name, file in files.items() if file.is_file()] == ["DeepMTLRTrainer"]
    table = pd.read_csv(files["DeepMTLRTrainer"])
    assert sorted(table["case_id"]) == splits(project)[0]["train"]
    assert list(table) == list(predictions(finished["DeepMTLRTrainer"]))


def test_the_baseline_hazard_is_that_of_the_log_hazards_at_the_epochs_end(
    finished: dict[str, SurvivalTrainer],
) -> None:
    trainer = finished["DeepMTSTrainer"]
    assert isinstance(trainer.objective, MultiTask)
    assert isinstance(trainer.objective.survival, Cox)
    assert isinstance(trainer.network, CoxNetwork)
    log_hazards = dict(sorted(trainer.objective.survival.log_hazards.items()))
    assert log_hazards
    assert set(log_hazards) <= set(trainer.survival_fold.training_cases)
    time, event = trainer.setup.table.time_and_event(list(log_hazards))
    expected = baseline_hazard(np.array(list(log_hazards.values())), event, time, trainer.survival_fold.edges)
    np.testing.assert_allclose(trainer.network.baseline_hazard.numpy(), expected, rtol=1e-5)
    assert expected.sum() > 0


@both_losses
@pytest.mark.slow
def test_a_killed_training_continues_as_if_it_had_not_been_stopped(
    project: NnunetProject,
    finished: dict[str, SurvivalTrainer],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(project, tmp_path, monkeypatch)
    killed = make_trainer(project, two_iterations(name))
    end_epoch = killed.on_epoch_end

    def end_epoch_and_die() -> None:
        end_epoch()
        raise Killed

    killed.on_epoch_end = end_epoch_and_die  # type: ignore[method-assign]
    with pytest.raises(Killed):
        killed.run_training()
    resumed = make_trainer(project, two_iterations(name))
    resumed.load_checkpoint(str(Path(resumed.output_folder) / "checkpoint_latest.pth"))
    assert resumed.current_epoch == 1
    pd.testing.assert_frame_equal(predictions(trained(resumed)), predictions(finished[name]), rtol=1e-6)


@both_losses
def test_new_patients_are_predicted_from_raw_images_as_at_the_end_of_training(
    project: NnunetProject, finished: dict[str, SurvivalTrainer], name: str, tmp_path: Path
) -> None:
    model = Path(finished[name].output_folder).parent
    cases = splits(project)[0]["val"][:2]
    images = TrainedModel(project, model.parents[1]).images(cases, tmp_path / "images")
    report = predict_patients(
        PredictionRequest(
            model_folder=model,
            images=images,
            output=tmp_path / "out",
            folds=[0],
            checkpoint_name="checkpoint_final.pth",
            device="cpu",
            clinical_csv=survival_csv(project),
        )
    )
    assert report.failed == {}
    new = pd.read_csv(tmp_path / "out" / "survival_predictions.csv").set_index("case_id").loc[cases]
    validated = predictions(finished[name]).set_index("case_id").loc[cases]
    np.testing.assert_allclose(curves(new), curves(validated), atol=1e-5)
    np.testing.assert_allclose(new["risk_score"], validated["risk_score"], rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("DeepMTSTrainer", {0: 1e-4, 49: 1e-4, 50: 5e-5, 100: 1e-5, 199: 1e-5}),
        ("MDSNProxyTrainer", {0: 1e-4, 49: 1e-4, 50: 5e-5, 100: 1e-5, 199: 1e-5}),
        ("DeepMTLRTrainer", {0: 0.016, 49: 0.016, 50: 0.0016, 99: 0.0016}),
        ("TMSSTrainer", {0: 4e-3, 49: 4e-3, 50: 4e-4, 99: 4e-4}),
    ],
)
def test_the_learning_rates_are_the_publications(
    project: NnunetProject, name: str, rates: dict[int, float]
) -> None:
    trainer = make_trainer(project, getattr(trainers, name))
    trainer.initialize()
    found = {epoch: trainer.lr_scheduler.learning_rate(epoch) for epoch in rates}
    assert found == pytest.approx(rates)
    assert trainer.num_epochs == max(rates) + 1


def test_a_transformer_that_cannot_pool_whole_regions_says_so_before_it_trains(
    project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(project, tmp_path, monkeypatch)
    request = FinetuneRequest(DATASET, "3d_fullres", 0, {"pool": "region"}, "TMSSTrainer", device="cpu")
    with pytest.raises(ValueError, match="TMSSTrainer needs --pool crops, its default, not --pool region"):
        finetune_survival(request)
    assert not list(tmp_path.glob("*/TMSSTrainer*"))
    # As nnUNetv2_train would have it.
    trainer = make_trainer(project, trainers.TMSSTrainer)
    SurvivalConfig(pool="region").save(Path(trainer.output_folder))
    with pytest.raises(ValueError, match="needs --pool crops"):
        trainer.initialize()


@pytest.mark.parametrize("name", TRAINERS)
def test_a_loss_that_is_not_a_sum_over_intervals_has_no_mean_over_them(name: str) -> None:
    trainer = getattr(trainers, name)
    defaults = trainer.recipe.default_settings
    trainer.check_settings(SurvivalConfig.from_dict(defaults))
    with pytest.raises(ValueError, match=f"The loss of {name} is not a sum over time intervals"):
        trainer.check_settings(SurvivalConfig.from_dict({**defaults, "loss_reduction": "mean"}))


def test_batches_iterations_and_optimisers_are_the_publications(project: NnunetProject) -> None:
    found = {}
    for name in TRAINERS:
        trainer = make_trainer(project, getattr(trainers, name))
        trainer.initialize()
        decay = trainer.optimizer.param_groups[0]["weight_decay"]
        iterations = trainer.num_iterations_per_epoch
        found[name] = (type(trainer.optimizer).__name__, decay, trainer.total_batch_size, iterations)
    # 8 training cases are one batch of 16.
    assert found == {
        "DeepMTSTrainer": ("Adam", 0, 8, 50),
        "MDSNProxyTrainer": ("Adam", 0, 8, 50),
        "DeepMTLRTrainer": ("Adam", 1e-5, 16, 1),
        "TMSSTrainer": ("AdamW", 0.01, 16, 1),
    }


@every_trainer
def test_the_short_schedule_has_400_iterations_of_four_cases_and_the_same_drops(
    project: NnunetProject, name: str
) -> None:
    recipe = getattr(trainers, name).recipe
    trainer = make_trainer(project, getattr(trainers, f"{name}_ShortSchedule"))
    assert replace(trainer.recipe, schedule=recipe.schedule) == recipe
    trainer.initialize()
    assert trainer.num_epochs * trainer.num_iterations_per_epoch == 400
    assert trainer.total_batch_size == 4
    assert trainer.recipe.schedule.drops_at == recipe.schedule.drops_at


def test_time_bins_are_14_by_the_quantiles_of_the_events_and_the_transformer_works_on_crops() -> None:
    assert SurvivalConfig.from_dict(trainers.DeepMTLRTrainer.recipe.default_settings) == SurvivalConfig(
        n_intervals=14, interval_rule="event_quantile"
    )
    assert SurvivalConfig.from_dict(trainers.TMSSTrainer.recipe.default_settings) == SurvivalConfig(
        n_intervals=14, interval_rule="event_quantile", pool="crops"
    )


@pytest.mark.parametrize(("name", "factor"), [("DeepMTLRTrainer", 1 / 2), ("TMSSTrainer", 0.7 * 100 / 2)])
def test_the_penalty_is_on_the_regressions_weights_alone(
    finished: dict[str, SurvivalTrainer], name: str, factor: float
) -> None:
    trainer = finished[name]
    expected = factor * trainer.network.head.regression.weight.square().sum()
    torch.testing.assert_close(trainer.objective.penalty(), expected)


def test_the_losses_of_both_tasks_are_weighted_as_published(finished: dict[str, SurvivalTrainer]) -> None:
    weights = {
        name: (finished[name].recipe.survival_weight, finished[name].recipe.segmentation_weight)
        for name in ("DeepMTSTrainer", "TMSSTrainer")
    }
    assert weights == {"DeepMTSTrainer": (1, 1), "TMSSTrainer": (0.7, 0.3)}


def test_the_segmentation_loss_of_deepmts_is_minus_one_for_a_perfect_mask(
    finished: dict[str, SurvivalTrainer],
) -> None:
    objective = finished["DeepMTSTrainer"].objective
    assert isinstance(objective, MultiTask)
    tumour = (torch.rand(2, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.7).float()
    # The last half is ignored, so that it may say anything.
    ignored = torch.zeros_like(tumour)
    ignored[:, :, 4:] = 1
    target = torch.cat([tumour * (1 - ignored), ignored], dim=1)
    assert objective.segmentation_loss(50 * (2 * tumour - 1), target).item() == pytest.approx(-1, abs=1e-3)
    assert objective.segmentation_loss(-50 * (2 * tumour - 1), target).item() == pytest.approx(0, abs=1e-3)
