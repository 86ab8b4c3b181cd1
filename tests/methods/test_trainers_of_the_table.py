"""The table of trainers: names of users' checkpoints, each a class that nnU-Net finds and that can be pickled."""

import pickle
from pathlib import Path

import pytest

from nnunetv2_adamss import trainers
from nnunetv2_adamss.methods import table
from nnunetv2_adamss.methods.recipe import SurvivalRecipe
from nnunetv2_adamss.networks.fusion_strategies import FUSION_STRATEGIES
from nnunetv2_adamss.networks.registry import network_names
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.foreign_files.trainer_names import check_is_ours, find_trainer
from nnunetv2_adamss.trainers.adamss_trainer import AdaMSSTrainer
from tests.fresh_python import output_of

VARIANTS = ("", "_PETOnly", "_CTOnly", "_EarlyFusion", "_LateFusion", "_IntermediateFusion")
SURVIVAL_VARIANTS = (
    *VARIANTS,
    "_NoRadiomics",
    "_NoClinical",
    "_ImageOnly",
    "_SurvivalOnly",
    "_MultiTask",
    "_Anchored",
    "_Anchored_NoRadiomics",
    "_Anchored_NoClinical",
    "_Anchored_ImageOnly",
)
COMPARISON = ("MDSNProxyTrainer", "DeepMTSTrainer", "DeepMTLRTrainer", "TMSSTrainer")
# Written out another way than in the table.
NAMES = {
    *(f"AdaMSSSegTrainer{short}{variant}" for short in ("", "_ShortSchedule") for variant in VARIANTS),
    *(
        f"AdaMSSSurvTrainer{short}{variant}"
        for short in ("", "_ShortSchedule")
        for variant in SURVIVAL_VARIANTS
    ),
    *(f"{name}{short}" for short in ("", "_ShortSchedule") for name in COMPARISON),
}
every_name = pytest.mark.parametrize("name", sorted(NAMES))


def test_the_names_are_those_of_users_checkpoints() -> None:
    assert set(table.RECIPES) == NAMES
    assert len(NAMES) == 2 * len(table.TRAINERS) == 50
    assert dir(trainers) == sorted(NAMES)


@every_name
def test_a_search_for_the_text_of_a_name_finds_it_in_the_table(name: str) -> None:
    assert f'"{name}"' in Path(table.__file__).read_text()


@every_name
def test_a_name_is_one_class_that_can_be_pickled_and_says_what_it_is(name: str) -> None:
    trainer = getattr(trainers, name)
    assert trainer is getattr(trainers, name)
    assert pickle.loads(pickle.dumps(trainer)) is trainer
    assert trainer.__name__ == trainer.__qualname__ == name
    assert trainer.__doc__.endswith(".")
    assert trainer.recipe == table.RECIPES[name]


@every_name
def test_a_trainer_has_few_ancestors_of_ours_one_after_the_other(name: str) -> None:
    ours = [c for c in getattr(trainers, name).__mro__[1:] if issubclass(c, AdaMSSTrainer)]
    assert len(ours) <= 3
    assert all(len(c.__bases__) == 1 for c in ours)


@pytest.mark.filterwarnings("ignore::FutureWarning:torch")  # nnU-Net's search imports all its trainers
def test_nnunets_search_finds_the_class_of_the_table_again_and_again() -> None:
    for name in ("AdaMSSSegTrainer", "TMSSTrainer_ShortSchedule", "AdaMSSSurvTrainer_PETOnly"):
        assert find_trainer(name) is find_trainer(name) is getattr(trainers, name)
        check_is_ours(name, Path("checkpoint_best.pth"))


def test_recipes_name_what_there_is() -> None:
    for recipe in table.RECIPES.values():
        rates, drops = recipe.schedule.learning_rates, recipe.schedule.drops_at
        assert len(rates) == len(drops) + 1
        if not isinstance(recipe, SurvivalRecipe):
            assert recipe.network in FUSION_STRATEGIES
            continue
        assert recipe.network in network_names()
        settings = SurvivalConfig.from_dict(recipe.default_settings)
        stage_one = table.RECIPES[settings.seg_trainer]
        if recipe.starts_from_stage_one:
            assert stage_one.network == recipe.network
            assert stage_one.modality == recipe.modality


def test_the_table_is_read_without_importing_anything_heavy() -> None:
    code = (
        "import sys\n"
        "from nnunetv2_adamss.methods.table import TRAINERS\n"
        "print(len(TRAINERS), sorted({'torch', 'nnunetv2', 'pandas', 'numpy', 'SimpleITK'} & set(sys.modules)))\n"
    )
    assert output_of(code) == "25 []"
