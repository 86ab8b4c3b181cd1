"""The fusion strategies inside nnU-Net: which channel, which Stage I, and what is refused."""

from pathlib import Path
from typing import TypeVar

import pytest
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.run.load_pretrained_weights import load_pretrained_weights

from nnunetv2_adamss.explanation.explained_model import ExplainedModel
from nnunetv2_adamss.nnunet_plugin import nnunetv2_adamss_trainers as plugin
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.trained_folds.fold_files import SUMMARY_FILE
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold
from nnunetv2_adamss.trainers import (
    AdaMSSSegTrainer_PETOnly,
    AdaMSSSurvTrainer_PETOnly,
)
from nnunetv2_adamss.trainers.adamss_trainer import AdaMSSTrainer
from tests.nnunet_project import NnunetProject, read_plans
from tests.survival_project import DATASET, dataset_json, write_stage_one

pytestmark = [
    # nnU-Net's search for a trainer imports all of its own.
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]

STRATEGIES = ("PETOnly", "CTOnly", "EarlyFusion", "LateFusion", "IntermediateFusion")
CT_FIRST, PET_FIRST = {"0": "CT", "1": "PET"}, {"0": "PET", "1": "CT"}


@pytest.fixture
def project(
    survival_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> NnunetProject:
    """The phantoms with results of their own, loading data in this process."""
    survival_project.use(monkeypatch)
    monkeypatch.setenv("nnUNet_results", str(tmp_path))
    monkeypatch.setenv("nnUNet_n_proc_DA", "0")
    return survival_project


Trainer = TypeVar("Trainer", bound=AdaMSSTrainer)


def make_trainer(
    project: NnunetProject, trainer_class: type[Trainer], channels: dict[str, str] = CT_FIRST
) -> Trainer:
    description = dataset_json(project) | {"channel_names": channels}
    plans = read_plans(project, DATASET)
    return trainer_class(plans, "3d_fullres", 0, description, torch.device("cpu"))


def seen_channel(trainer: AdaMSSTrainer) -> int:
    return int(trainer.network.state_dict()["encoder.pet_channel"])


@pytest.mark.parametrize(("channels", "pet"), [(CT_FIRST, 1), (PET_FIRST, 0)], ids=["CT first", "PET first"])
def test_nnunets_prediction_looks_at_the_pet_wherever_it_is(
    project: NnunetProject, channels: dict[str, str], pet: int
) -> None:
    folder = write_stage_one(project, trainer_class=AdaMSSSegTrainer_PETOnly, channel_names=channels)
    predictor = nnUNetPredictor(device=torch.device("cpu"), use_mirroring=False, allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(folder.parent), (0,), "checkpoint_best.pth")
    image = torch.randn(2, 32, 32, 32)
    other_ct, other_pet = image.clone(), image.clone()
    other_ct[1 - pet] = 0
    other_pet[pet] = 0
    expected = predictor.predict_logits_from_preprocessed_data(image)
    assert torch.equal(predictor.predict_logits_from_preprocessed_data(other_ct), expected)
    assert not torch.equal(predictor.predict_logits_from_preprocessed_data(other_pet), expected)


def test_pretrained_weights_of_another_order_of_channels_do_not_change_which_is_the_pet(
    project: NnunetProject,
) -> None:
    pretrained = make_trainer(project, AdaMSSSegTrainer_PETOnly, PET_FIRST)
    pretrained.initialize()
    file = Path(pretrained.output_folder) / "pretrained.pth"
    pretrained.save_checkpoint(str(file))
    trainer = make_trainer(project, AdaMSSSegTrainer_PETOnly)
    trainer.initialize()
    assert seen_channel(trainer) == 1
    load_pretrained_weights(trainer.network, str(file))
    assert seen_channel(trainer) == 0
    trainer.on_train_start()
    assert seen_channel(trainer) == 1
    # It sees no CT that the plan could clip.
    assert "The plan clips CT" not in Path(trainer.log_file).read_text()


@pytest.mark.parametrize("trainer_class", [AdaMSSSegTrainer_PETOnly, AdaMSSSurvTrainer_PETOnly])
def test_without_the_modality_a_training_is_refused_before_anything_is_written(
    project: NnunetProject, tmp_path: Path, trainer_class: type[AdaMSSTrainer]
) -> None:
    with pytest.raises(ValueError, match=r"Which channel is the PET is not clear .*\(CT, T1\)"):
        make_trainer(project, trainer_class, {"0": "CT", "1": "T1"})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("schedule", ["", "_ShortSchedule"])
def test_stage_two_starts_from_the_stage_one_of_its_own_strategy(
    project: NnunetProject, strategy: str, schedule: str
) -> None:
    stage_one_class = getattr(plugin, f"AdaMSSSegTrainer{schedule}_{strategy}")
    folder = write_stage_one(project, trainer_class=stage_one_class)
    trainer = make_trainer(project, getattr(plugin, f"AdaMSSSurvTrainer{schedule}_{strategy}"))
    trainer.initialize()
    checkpoint = torch.load(folder / "checkpoint_best.pth", weights_only=True)
    assert checkpoint["trainer_name"] == f"AdaMSSSegTrainer{schedule}_{strategy}"
    weights = checkpoint["network_weights"]
    own = trainer.network.state_dict()
    assert all(torch.equal(own[n], weights[n]) for n in own if not n.startswith("survival_head."))
    assert trainer.num_epochs * trainer.num_iterations_per_epoch == (400 if schedule else 10_000)
    assert not trainer.recipe.covariate_use.radiomics


def test_ct_is_not_taken_for_pet(project: NnunetProject) -> None:
    write_stage_one(project, trainer_class=plugin.AdaMSSSegTrainer_CTOnly)
    trainer = make_trainer(project, AdaMSSSurvTrainer_PETOnly)
    SurvivalConfig(seg_trainer="AdaMSSSegTrainer_CTOnly").save(Path(trainer.output_folder))
    with pytest.raises(
        ValueError, match=r"another network or plan.*encoder\.pet_channel.*encoder\.ct_channel"
    ):
        trainer.initialize()


def test_a_training_on_pet_alone_is_read_back_without_its_trainer_and_not_explained_by_gates(
    project: NnunetProject,
) -> None:
    write_stage_one(project, trainer_class=AdaMSSSegTrainer_PETOnly)
    trainer = make_trainer(project, AdaMSSSurvTrainer_PETOnly)
    settings = dict(trainer.recipe.default_settings) | {"mask_source": "groundtruth", "epochs": 1}
    SurvivalConfig.from_dict(settings).save(Path(trainer.output_folder))
    trainer.num_iterations_per_epoch = 2
    trainer.run_training()
    trainer.perform_actual_validation()
    folder = Path(trainer.output_folder)
    assert (folder / SUMMARY_FILE).is_file()

    trained = TrainedFold(folder).open("checkpoint_final.pth")
    weights = trained.build_network().state_dict()
    assert weights["encoder.pet_channel"] == 1
    with pytest.raises(
        ValueError, match="AdaMSSSurvTrainer_PETOnly has another network than AdaMSS with its"
    ):
        ExplainedModel.open(trained, torch.device("cpu"))
