"""Trainers look at plans, checkpoints and cases before nnU-Net opens them, also inside ``nnUNetv2_train``."""

import copy
import os
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch

from nnunetv2_adamss.survival.foreign_files.preprocessed_cases import CheckedBlosc2Cases
from nnunetv2_adamss.trainers import AdaMSSSegTrainer
from tests.foreign_code import name_in_plan, plant_in_checkpoint, plant_in_pickle
from tests.nnunet_project import NnunetProject, read_plans
from tests.survival_project import DATASET, dataset_json, write_stage_one


@pytest.fixture
def project(
    survival_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> NnunetProject:
    """The phantoms in files that a test may spoil."""
    shutil.copytree(survival_project.preprocessed, tmp_path / "preprocessed", copy_function=os.link)
    (tmp_path / "raw").symlink_to(survival_project.raw)
    (tmp_path / "results").mkdir()
    own = NnunetProject(tmp_path)
    own.use(monkeypatch)
    return own


def make_trainer(project: NnunetProject) -> AdaMSSSegTrainer:
    plans = read_plans(project, DATASET)
    return AdaMSSSegTrainer(plans, "3d_fullres", 0, dataset_json(project), torch.device("cpu"))


def test_stage_one_continues_from_its_checkpoint(project: NnunetProject) -> None:
    file = write_stage_one(project) / "checkpoint_best.pth"
    trainer = make_trainer(project)
    trainer.load_checkpoint(str(file))
    weights = torch.load(file, weights_only=True)["network_weights"]
    assert all(torch.equal(value, weights[name]) for name, value in trainer.network.state_dict().items())
    assert trainer.dataset_class is CheckedBlosc2Cases
    training, validation = trainer.get_tr_and_val_datasets()
    assert (len(training.identifiers), len(validation.identifiers)) == (8, 4)


def test_stage_one_runs_no_code_of_a_checkpoint(project: NnunetProject) -> None:
    file = write_stage_one(project) / "checkpoint_best.pth"
    plant_in_checkpoint(file, project.root / "marker")
    with pytest.raises(ValueError, match="checkpoint_best.pth is not a checkpoint .* holds more than data"):
        make_trainer(project).load_checkpoint(str(file))
    assert not (project.root / "marker").exists()


def test_stage_one_names_what_does_not_fit(project: NnunetProject) -> None:
    file = write_stage_one(project) / "checkpoint_best.pth"
    whole = torch.load(file, weights_only=True)
    torch.save({**whole, "network_weights": {"x": torch.zeros(1)}}, file)
    with pytest.raises(ValueError, match="checkpoint_best.pth does not fit this training"):
        make_trainer(project).load_checkpoint(str(file))
    torch.save({**whole, "optimizer_state": 3}, file)
    with pytest.raises(ValueError, match="checkpoint_best.pth does not fit this training"):
        make_trainer(project).load_checkpoint(str(file))
    torch.save({**whole, "current_epoch": "x"}, file)
    with pytest.raises(ValueError, match="not usable: current_epoch"):
        make_trainer(project).load_checkpoint(str(file))


def test_cases_with_code_are_named_before_the_first_epoch(project: NnunetProject) -> None:
    files = sorted((project.preprocessed / DATASET / "nnUNetPlans_3d_fullres").glob("*.pkl"))
    for file in files:
        plant_in_pickle(file, project.root / "marker")
    trainer = make_trainer(project)
    trainer.initialize()
    with pytest.raises(ValueError, match=r"^8 preprocessed case\(s\) cannot be used: .*posix.mkdir"):
        trainer.get_dataloaders()
    assert not (project.root / "marker").exists()


def test_a_plan_that_names_code_is_refused_before_anything_is_written(project: NnunetProject) -> None:
    plans = copy.deepcopy(read_plans(project, DATASET))
    name_in_plan(plans, "os.system")
    train = partial(AdaMSSSegTrainer, plans, "3d_fullres", 0, dataset_json(project), torch.device("cpu"))
    with pytest.raises(ValueError, match=r"The plan names what nnU-Net does not ship.*'os.system'"):
        train()
    assert not list((project.root / "results").iterdir())
