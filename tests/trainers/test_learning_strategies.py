"""Survival only and multi-task learning: where their weights come from, what they learn from, what they leave."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import torch

from nnunetv2_adamss.networks.adamss import AdaMSSMultiTask
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.trained_folds.fold_files import PREDICTED_MASKS
from nnunetv2_adamss.trainers import AdaMSSSurvTrainer_MultiTask
from nnunetv2_adamss.trainers.objectives.multi_task import MultiTask
from nnunetv2_adamss.trainers.survival_trainer import SurvivalTrainer
from nnunetv2_adamss.trainers.validation_masks import export_mask
from tests.nnunet_project import NnunetProject, read_plans
from tests.survival_project import DATASET, dataset_json, splits, write_stage_one
from tests.trainers.short_trainers.adamss_test_learning_strategies import (
    AdaMSSSurvTrainer_MultiTask_TwoIterations,
    AdaMSSSurvTrainer_SurvivalOnly_TwoIterations,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def project(
    survival_project: NnunetProject, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[NnunetProject]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        survival_project.use(monkeypatch)
        monkeypatch.setenv("nnUNet_results", str(tmp_path_factory.mktemp("strategies")))
        monkeypatch.setenv("nnUNet_n_proc_DA", "0")
        write_stage_one(survival_project)
        yield survival_project


def make_trainer(project: NnunetProject, trainer_class: type[SurvivalTrainer]) -> SurvivalTrainer:
    plans = read_plans(project, DATASET)
    trainer = trainer_class(plans, "3d_fullres", 0, dataset_json(project), torch.device("cpu"))
    # Another seed than that of the Stage-I network, which has its initial weights.
    SurvivalConfig(mask_source="groundtruth", seed=7).save(Path(trainer.output_folder))
    return trainer


@pytest.fixture(scope="module")
def multi_task_trainer(project: NnunetProject) -> SurvivalTrainer:
    trainer = make_trainer(project, AdaMSSSurvTrainer_MultiTask_TwoIterations)
    trainer.run_training()
    trainer.perform_actual_validation()
    assert isinstance(trainer.objective, MultiTask)
    return trainer


def test_survival_only_learns_nothing_from_stage_one(project: NnunetProject) -> None:
    trainer = make_trainer(project, AdaMSSSurvTrainer_SurvivalOnly_TwoIterations)
    trainer.initialize()
    stage_one = trainer.setup.stage_one.weights()
    own = trainer.network.state_dict()
    weights = [name for name in own if name.startswith("encoder.") and "conv.weight" in name]
    assert weights
    assert not any(torch.equal(own[name], stage_one[name]) for name in weights)
    trainer.run_training()
    trainer.perform_actual_validation()
    assert (Path(trainer.output_folder) / "survival_summary.json").is_file()


def test_multi_task_masks_lie_on_the_grid_of_the_reference(
    project: NnunetProject, multi_task_trainer: SurvivalTrainer
) -> None:
    folder = Path(multi_task_trainer.output_folder) / PREDICTED_MASKS
    assert sorted(file.name for file in folder.iterdir()) == [
        f"{c}.nii.gz" for c in splits(project)[0]["val"]
    ]
    for file in folder.iterdir():
        mask, reference = sitk.ReadImage(file), sitk.ReadImage(project.raw / DATASET / "labelsTr" / file.name)
        assert mask.GetSize() == reference.GetSize()
        assert mask.GetOrigin() == reference.GetOrigin()
        assert set(np.unique(sitk.GetArrayFromImage(mask))) <= {0, 1}


def test_a_network_that_segments_perfectly_gives_back_the_reference(
    project: NnunetProject, multi_task_trainer: SurvivalTrainer
) -> None:
    """The reference, cut out by the region and put back, is the reference wherever the region lies."""
    cases = multi_task_trainer.load_cases()
    case_id = splits(project)[0]["val"][0]
    reference = cases.dataset.load_case(case_id)[1][:] > 0
    inside = cases.regions[case_id].within(reference.shape[1:])
    window = tuple(slice(start, start + side) for start, side in zip(inside.start, inside.size, strict=True))
    logits = torch.full((1, *(side + 3 for side in inside.size)), 20.0)
    region = torch.from_numpy(reference[(slice(None), *window)])
    logits[(slice(None), *(slice(side) for side in inside.size))] = torch.where(region, 20.0, -20.0)
    file = Path(multi_task_trainer.output_folder) / "perfect"
    export_mask(multi_task_trainer, case_id, logits, file)
    mask = sitk.GetArrayFromImage(sitk.ReadImage(f"{file}.nii.gz"))
    raw = sitk.GetArrayFromImage(sitk.ReadImage(project.raw / DATASET / "labelsTr" / f"{case_id}.nii.gz"))
    assert mask.sum() > 0
    assert not np.any((mask > 0) & (raw == 0))
    assert (mask > 0).sum() == reference[(slice(None), *window)].sum()


def test_multi_task_learns_from_both_losses(project: NnunetProject) -> None:
    trainer = make_trainer(project, AdaMSSSurvTrainer_MultiTask)
    trainer.initialize()
    assert isinstance(trainer.network, AdaMSSMultiTask)
    batches, _ = trainer.get_dataloaders()
    batch = next(batches)
    output = trainer.network(*trainer.inputs(batch))
    objective = trainer.objective
    assert isinstance(objective, MultiTask)
    survival = objective.survival_loss(output.survival, batch["targets"])
    segmentation = objective.segmentation_loss(output.segmentation, batch["tumour"])
    assert batch["tumour"].sum() > 0
    torch.testing.assert_close(objective.training_loss(output, batch), survival + segmentation)


def test_a_finished_multi_task_training_says_how_long_it_took_and_how_large_it_is(
    multi_task_trainer: SurvivalTrainer,
) -> None:
    folder = Path(multi_task_trainer.output_folder)
    training = pd.read_json(folder / "survival_summary.json", typ="series")["training"]
    expected = sum(p.numel() for p in multi_task_trainer.network.parameters())
    assert training["parameters"] == expected
    assert training["seconds"] > 0


@pytest.mark.slow
def test_a_stopped_multi_task_training_continues(project: NnunetProject) -> None:
    first = make_trainer(project, AdaMSSSurvTrainer_MultiTask_TwoIterations)
    first.num_epochs = 1
    first.run_training()
    again = make_trainer(project, AdaMSSSurvTrainer_MultiTask_TwoIterations)
    again.load_checkpoint(str(Path(first.output_folder) / "checkpoint_final.pth"))
    assert again.current_epoch == 1
    assert again.survival_fold.network == "adamss_multi_task"
    again.run_training()
    assert again.current_epoch == 2
