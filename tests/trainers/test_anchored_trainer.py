"""Stage II with an anchor: a Cox model on covariates and image features, which the network adds to."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.trained_folds.survival_checkpoint import SurvivalCheckpoint
from nnunetv2_adamss.trainers import (
    AdaMSSSurvTrainer,
    AdaMSSSurvTrainer_Anchored,
    AdaMSSSurvTrainer_ShortSchedule_Anchored,
    AdaMSSSurvTrainer_SurvivalOnly,
    MDSNProxyTrainer,
)
from tests.nnunet_project import NnunetProject, read_plans
from tests.survival_project import DATASET, dataset_json
from tests.trainers.short_trainers.adamss_test_survival_trainers import AdaMSSSurvTrainer_TwoIterations
from tests.trainers.test_survival_trainer import (
    ALL_COVARIATES,
    Killed,
    log,
    make_trainer,
    own_features,
    predictions,
    trained,
    use,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]


@pytest.fixture
def project(
    survival_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> NnunetProject:
    return use(survival_project, tmp_path, monkeypatch)


def anchored(project: NnunetProject, tmp_path: Path, **settings: Any) -> dict[str, Any]:
    """Settings of an anchored training on all covariates that there are."""
    file = own_features(project, tmp_path)
    return {"features_csv": [file], **ALL_COVARIATES, "anchor": "image", "batch_norm": "frozen", **settings}


def outputs(trainer: AdaMSSSurvTrainer) -> dict[str, torch.Tensor]:
    """Logits of every case of the fold, as the network is now."""
    found: dict[str, list[float]] = {}
    with torch.no_grad():
        for batch in trainer.whole_regions(trainer.survival_fold.all_cases, "Test"):
            found |= trainer.validation_step(batch)
    return {case_id: torch.tensor(values) for case_id, values in found.items()}


def test_a_network_anchored_on_covariates_starts_as_the_cox_model_on_them(
    project: NnunetProject, tmp_path: Path
) -> None:
    trainer = make_trainer(project, **anchored(project, tmp_path, anchor="covariates"))
    trainer.on_train_start()
    cox = trainer.survival_fold.covariate_report.only_cox
    assert cox is not None
    found = outputs(trainer)
    covariates = trainer.load_cases().covariates
    first, *others = found
    for other in others:
        difference = (covariates[other] - covariates[first]) @ np.array(cox.weights)
        expected = torch.full_like(found[first], -float(difference))
        torch.testing.assert_close(found[other] - found[first], expected, rtol=1e-4, atol=1e-5)


def test_without_a_covariate_there_is_no_cox_model_to_start_from(project: NnunetProject) -> None:
    trainer = make_trainer(project, anchor="covariates")
    trainer.on_train_start()
    assert not trainer.survival_fold.covariates.names
    assert "No covariate is left for a Cox model to start from." in log(trainer)
    assert "C-index before the training" not in log(trainer)


@pytest.mark.slow
def test_image_features_are_those_of_the_trained_stage_one_network(
    project: NnunetProject, tmp_path: Path
) -> None:
    trainer = make_trainer(project, **anchored(project, tmp_path))
    trainer.on_train_start()
    risk = trainer.network.anchor.risk
    n_covariates = len(trainer.survival_fold.covariates.names)
    assert risk.in_features == sum(trainer.network.encoder.out_channels) + n_covariates
    assert not risk.weight.requires_grad
    assert "starts from a Cox model on" in log(trainer)
    times, events = trainer.setup.table.time_and_event(list(trainer.survival_fold.scoring_cases))
    first_logit = np.array([float(outputs(trainer)[c][0]) for c in trainer.survival_fold.scoring_cases])
    c_index = harrell_c(-first_logit, events, times).c_index
    assert c_index is not None
    # All logits differ by the same sum, so that the predicted time ranks as one of them.
    assert f"C-index before the training: {c_index:.4f}" in log(trainer)


def test_training_leaves_statistics_and_anchor_and_its_checkpoint_predicts_the_same(
    project: NnunetProject, tmp_path: Path
) -> None:
    trainer = make_trainer(project, **anchored(project, tmp_path))
    trainer.initialize()
    statistics = {
        name: module.running_mean.clone()
        for name, module in trainer.network.named_modules()
        if isinstance(module, _BatchNorm)
    }
    trainer.run_training()
    trainer.perform_actual_validation()
    modules = dict(trainer.network.named_modules())
    assert all(torch.equal(modules[name].running_mean, mean) for name, mean in statistics.items())
    assert trainer.network.survival_head.output.weight.abs().sum() > 0
    checkpoint = SurvivalCheckpoint.read(Path(trainer.output_folder) / "checkpoint_final.pth")
    again = checkpoint.build_network().state_dict()
    assert torch.equal(again["anchor.risk.weight"], trainer.network.anchor.risk.weight.cpu())


@pytest.mark.slow
def test_checkpoints_that_predict_have_a_baseline_with_which_as_many_training_cases_survive_as_did(
    project: NnunetProject, tmp_path: Path
) -> None:
    """In each interval, but for the half case that is added on each side."""
    trainer = make_trainer(project, **anchored(project, tmp_path, baseline="refitted"))
    trainer.run_training()
    for name in ("best", "last"):
        trainer.load_epoch(name)
        training = trainer.survival_fold.training_cases
        logits = torch.stack([value for case, value in outputs(trainer).items() if case in training]).double()
        labels = [trainer.load_cases().targets[case] for case in outputs(trainer) if case in training]
        survived, failed = (torch.stack([torch.as_tensor(getattr(one, part)) for one in labels])
                            for part in ("survived", "failed"))  # fmt: skip
        expected = (torch.sigmoid(logits) * (survived + failed)).sum(dim=0) + torch.sigmoid(
            logits.mean(dim=0)
        )
        torch.testing.assert_close(expected, survived.double().sum(dim=0) + 0.5, rtol=0.02, atol=0.02)


def test_a_training_continues_with_its_own_baseline_after_a_checkpoint_with_a_refitted_one(
    project: NnunetProject, tmp_path: Path
) -> None:
    trainer = make_trainer(project, **anchored(project, tmp_path, baseline="refitted"))
    trainer.on_train_start()
    trainer.network.baseline.fill_(5)
    trainer._save_last_epoch("checkpoint_best.pth")
    assert torch.equal(trainer.network.baseline, torch.full_like(trainer.network.baseline, 5))
    saved = SurvivalCheckpoint.read(Path(trainer.output_folder) / "checkpoint_best.pth").build_network()
    assert not torch.isclose(saved.baseline, torch.tensor(5.0)).any()


@pytest.mark.slow
def test_an_anchored_training_killed_in_an_epoch_ends_as_if_it_had_not_been(
    project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = anchored(project, tmp_path, head_rate=10.0)
    expected = predictions(trained(project, **settings))
    monkeypatch.setenv("nnUNet_results", str(tmp_path / "again"))
    use(project, tmp_path / "again", monkeypatch)
    killed = make_trainer(project, **settings)
    train_step = killed.train_step

    def die_in_the_last_epoch(batch: dict[str, Any]) -> dict[str, Any]:
        if killed.current_epoch == 2:
            raise Killed
        return train_step(batch)

    monkeypatch.setattr(killed, "train_step", die_in_the_last_epoch)
    with pytest.raises(Killed):
        killed.run_training()
    resumed = AdaMSSSurvTrainer_TwoIterations(
        read_plans(project, DATASET), "3d_fullres", 0, dataset_json(project), torch.device("cpu")
    )
    resumed.load_checkpoint(str(Path(resumed.output_folder) / "checkpoint_latest.pth"))
    resumed.run_training()
    resumed.perform_actual_validation()
    pd.testing.assert_frame_equal(predictions(resumed), expected, rtol=1e-6)


def test_the_head_learns_at_a_multiple_of_the_rate_of_encoder_and_decoder(project: NnunetProject) -> None:
    trainer = make_trainer(project, head_rate=10.0)
    trainer.initialize()
    trainer.lr_scheduler.step(0)
    others, head = trainer.optimizer.param_groups
    assert (others["lr"], head["lr"]) == (5e-5, 5e-4)
    in_head = {id(parameter) for parameter in trainer.network.survival_head.parameters()}
    assert {id(parameter) for parameter in head["params"]} == in_head
    n_parameters = len(list(trainer.network.parameters()))
    assert len(others["params"]) + len(head["params"]) == n_parameters


@pytest.mark.parametrize("trainer", [AdaMSSSurvTrainer_Anchored, AdaMSSSurvTrainer_ShortSchedule_Anchored])
def test_the_anchored_trainers_have_an_anchor_by_default(trainer: type[AdaMSSSurvTrainer]) -> None:
    config = SurvivalConfig.from_dict(trainer.recipe.default_settings)
    assert (config.anchor, config.batch_norm) == ("image", "frozen")
    assert SurvivalConfig().anchor == "none"


@pytest.mark.parametrize(
    ("trainer", "settings", "sentence"),
    [
        (MDSNProxyTrainer, {"anchor": "covariates"}, "cannot have --anchor, --head_rate or --baseline"),
        (MDSNProxyTrainer, {"head_rate": 2.0}, "cannot have --anchor, --head_rate or --baseline"),
        (MDSNProxyTrainer, {"baseline": "refitted"}, "cannot have --anchor, --head_rate or --baseline"),
        (MDSNProxyTrainer, {"radiomics": "first_order"}, "MDSNProxyTrainer uses no radiomics"),
        (AdaMSSSurvTrainer_SurvivalOnly, {"anchor": "image"}, "does not start from Stage I's"),
        (AdaMSSSurvTrainer_SurvivalOnly, {"batch_norm": "frozen"}, "does not start from Stage I's"),
        (AdaMSSSurvTrainer_Anchored, {"anchor": "image", "pool": "crops"}, "needs --pool region"),
    ],
)
def test_settings_that_a_network_cannot_have_are_refused(
    trainer: type[AdaMSSSurvTrainer], settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        trainer.check_settings(SurvivalConfig(**settings))
