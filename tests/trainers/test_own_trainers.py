"""Trainers of users in a folder of their own: as the docs say now, and as version 0.1 had them."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nnunetv2_adamss import trainers
from nnunetv2_adamss.networks.fusion_strategies import LateFusionEncoder
from nnunetv2_adamss.survival.covariates.covariate_use import CovariateUse
from nnunetv2_adamss.survival.foreign_files.trainer_names import check_is_ours, find_trainer
from nnunetv2_adamss.trainers.adamss_trainer import AdaMSSTrainer
from tests.nnunet_project import NnunetProject, read_plans

AS_DOCUMENTED = """
from nnunetv2_adamss.trainers import AdaMSSSegTrainer


class AdaMSSSegTrainer_100epochs(AdaMSSSegTrainer):
    recipe = AdaMSSSegTrainer.recipe.with_schedule(n_epochs=100)
"""
AS_DOCUMENTED_IN_0_1 = """
from nnunetv2_adamss.trainers.segmentation import AdaMSSSegTrainer


class AdaMSSSegTrainer_100epochs(AdaMSSSegTrainer):
    def __init__(self, plans, configuration, fold, dataset_json, device):
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs = 100
"""
BY_CLASS_ATTRIBUTES_OF_0_1 = """
import torch
from nnunetv2_adamss.trainers.adamss_survival import AdaMSSSurvTrainer
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateUse
from nnunetv2_adamss.trainers import survival_variants
from nnunetv2_adamss.trainers.segmentation_variants import AdaMSSSegTrainer_ShortSchedule
from nnunetv2_adamss.trainers.learning_strategies import AdaMSSSurvTrainer_MultiTask
from nnunetv2_adamss.trainers.fusion_strategies import AdaMSSSurvTrainer_PETOnly
from nnunetv2_adamss.trainers.comparison import DeepMTSTrainer


class Quick:
    n_epochs = 5


class Survival_Own(Quick, AdaMSSSurvTrainer):
    n_iterations = 7
    learning_rates = (1e-3, 1e-4)
    drops_at = (0.9,)
    own_batch_size = 6
    own_weight_decay = 0.5
    optimizer_class = torch.optim.AdamW
    covariate_use = CovariateUse(clinical=False)
    default_settings = {"n_intervals": 3}
    predicts_training_cases = True
    starts_from_stage_one = False


class Survival_OwnAndMore(Survival_Own):
    n_epochs = 6
"""


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's folder before this package's."""
    own = tmp_path_factory.mktemp("own_trainers")
    from nnunetv2_adamss.plugin_folder import PLUGIN_FOLDER

    monkeypatch.setenv("nnUNet_extTrainer", f"{own}:{PLUGIN_FOLDER}")
    return own


search = pytest.mark.filterwarnings(
    "ignore::FutureWarning:torch"
)  # nnU-Net's search imports all its trainers


@search
@pytest.mark.parametrize("text", [AS_DOCUMENTED, AS_DOCUMENTED_IN_0_1], ids=["now", "in 0.1"])
def test_a_variant_of_the_docs_is_found_and_has_its_own_length(
    folder: Path,
    nnunet_environment: NnunetProject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
) -> None:
    (folder / "my_adamss_trainers.py").write_text(text)
    monkeypatch.setenv("nnUNet_results", str(tmp_path))
    found = find_trainer("AdaMSSSegTrainer_100epochs")
    assert found is not None
    assert issubclass(found, trainers.AdaMSSSegTrainer)
    check_is_ours("AdaMSSSegTrainer_100epochs", Path("checkpoint_best.pth"))
    plans = read_plans(nnunet_environment)
    dataset_json = {"channel_names": {"0": "CT", "1": "PET"}, "labels": {"background": 0, "tumour": 1},
                    "file_ending": ".nii.gz", "numTraining": 6}  # fmt: skip
    trainer = found(plans, "3d_fullres", 0, dataset_json, torch.device("cpu"))
    assert trainer.num_epochs == 100
    assert trainer.num_iterations_per_epoch == 200
    assert Path(trainer.output_folder).parent.name.startswith("AdaMSSSegTrainer_100epochs__")


@search
def test_class_attributes_of_0_1_become_the_recipe(folder: Path) -> None:
    (folder / "my_adamss_survival_trainers.py").write_text(BY_CLASS_ATTRIBUTES_OF_0_1)
    own, more = find_trainer("Survival_Own"), find_trainer("Survival_OwnAndMore")
    assert own is not None and more is not None
    schedule = trainers.AdaMSSSurvTrainer.recipe.with_schedule(
        n_epochs=5, n_iterations=7, learning_rates=(1e-3, 1e-4), drops_at=(0.9,), batch_size=6,
        weight_decay=0.5, optimizer="AdamW",
    ).schedule  # fmt: skip
    assert own.recipe.schedule == schedule
    assert own.recipe.covariate_use == CovariateUse(clinical=False)
    assert own.recipe.default_settings == {"n_intervals": 3}
    assert own.recipe.predicts_training_cases
    assert not own.recipe.starts_from_stage_one
    assert own.recipe.network == "adamss"
    assert more.recipe == own.recipe.with_schedule(n_epochs=6)
    assert trainers.AdaMSSSurvTrainer.recipe.schedule.n_epochs == 50


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        (
            {"survival_loss": lambda self, outputs, targets: 0},
            "has survival_loss, .* Losses are objectives now",
        ),
        ({"optimizer_class": type("Own", (torch.optim.Adam,), {})}, "override 'configure_optimizers'"),
        ({"fusion": object}, "override 'build_network_architecture'"),
    ],
)
def test_what_a_recipe_cannot_hold_is_not_passed_over(attribute: dict[str, object], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        type("Own", (trainers.AdaMSSSurvTrainer,), attribute)


def test_a_fusion_strategy_of_0_1_is_the_recipes_network() -> None:
    own: type[AdaMSSTrainer] = type("Own", (trainers.AdaMSSSegTrainer,), {"fusion": LateFusionEncoder})
    assert own.recipe.network == "adamss_late_fusion"


def test_attributes_that_are_nnunets_own_are_none_of_the_recipe() -> None:
    attributes = {"network": None, "batch_size": 3, "optimizer": None}
    own: type[AdaMSSTrainer] = type("Own", (trainers.AdaMSSSurvTrainer,), attributes)
    assert own.recipe == trainers.AdaMSSSurvTrainer.recipe


@pytest.mark.parametrize(
    ("trainer", "changes", "message"),
    [
        ("AdaMSSSegTrainer", {"batch_size": 8}, "the batch size of Stage I is that of nnU-Net's plan"),
        ("AdaMSSSegTrainer", {"n_iterations": 0}, "Stage I needs a number of iterations"),
        ("AdaMSSSurvTrainer", {"learning_rates": (1e-3,)}, "2 drops need 3 learning rates"),
        ("AdaMSSSurvTrainer", {"optimizer": "Adamm"}, "torch.optim has no optimizer 'Adamm'"),
    ],
)
def test_a_schedule_that_cannot_be_trained_is_refused_where_it_is_written(
    trainer: str, changes: dict[str, object], message: str
) -> None:
    recipe = getattr(trainers, trainer).recipe.with_schedule(**changes)
    with pytest.raises(TypeError, match=f"The recipe of Own cannot be trained: {message}"):
        type("Own", (getattr(trainers, trainer),), {"recipe": recipe})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("network", "there is no survival network 'nothing', only adamss, "),
        ("objective", "there is no objective 'nothing', only discrete_time, cox, mtlr"),
        ("segmentation_loss", "there is no segmentation loss 'nothing', only dice, dice_focal"),
    ],
)
def test_a_recipe_that_names_what_there_is_not_is_refused_where_it_is_written(
    name: str, message: str
) -> None:
    recipe = replace(trainers.AdaMSSSurvTrainer.recipe, **{name: "nothing"})
    with pytest.raises(TypeError, match=message):
        type("Own", (trainers.AdaMSSSurvTrainer,), {"recipe": recipe})


def test_a_subclass_of_two_trainers_must_say_which_recipe_it_has() -> None:
    both = (trainers.AdaMSSSurvTrainer_PETOnly, trainers.AdaMSSSurvTrainer_ShortSchedule)
    with pytest.raises(TypeError, match="Mixed is a subclass of trainers with different recipes; give it a"):
        type("Mixed", both, {})
    recipe = both[0].recipe.with_schedule(n_epochs=3)
    mixed: type[AdaMSSTrainer] = type("Mixed", both, {"recipe": recipe})
    assert mixed.recipe == recipe
