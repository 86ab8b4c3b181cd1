"""Which commands a benchmark consists of, and what each of them needs."""

from importlib import import_module
from pathlib import Path

import pytest

from nnunetv2_adamss.benchmark.benchmark_settings import BenchmarkSettings
from nnunetv2_adamss.benchmark.folders import BenchmarkFolders
from nnunetv2_adamss.benchmark.plan import plan_steps
from nnunetv2_adamss.benchmark.present_cohort import PresentCohort
from nnunetv2_adamss.benchmark.steps import Step
from nnunetv2_adamss.methods.table import GROUPS, METHODS, REFERENCES, choose_methods
from tests.cli.all_commands import PARSERS

BASELINES = ["covariates_cox", "tumour_volume", "suv_max"]


@pytest.fixture(autouse=True)
def folders_of_nnunet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("raw", "results"):
        monkeypatch.setenv(f"nnUNet_{name}", str(tmp_path / name))


def plan(*names: str, n_splits: int = 3, **settings: object) -> dict[str, Step]:
    given = BenchmarkSettings("Dataset007_X", "3d_fullres", **({"folds": (0,)} | settings))  # type: ignore[arg-type]
    folders = BenchmarkFolders(given, "nnUNetPlans", Path("OUT"))
    no_cases = [frozenset[str]()] * n_splits
    cohort = PresentCohort({}, no_cases, no_cases, frozenset(), ".nii.gz")
    return {step.name: step for step in plan_steps(folders, choose_methods(names), cohort, "cuda")}


def all_needs(steps: dict[str, Step], name: str) -> set[str]:
    direct = steps[name].needs
    return set(direct).union(*(all_needs(steps, need) for need in direct))


def test_the_baselines_stand_in_every_table_in_the_papers_order() -> None:
    assert [m.name for m in choose_methods(["adamss", "icare"])] == ["icare", "adamss", *BASELINES]
    assert choose_methods(["all"]) == METHODS
    for number, reference in REFERENCES.items():
        names = [method.name for method in GROUPS[f"table{number}"]]
        assert reference in names and names[-3:] == BASELINES


def test_the_published_figures_are_those_of_the_paper() -> None:
    """Sums over the columns of Tables I to III, added up by hand."""
    c_index, dice = (
        [getattr(m.published, what) for m in METHODS if m.published and getattr(m.published, what)]
        for what in ("c_index", "dice")
    )
    assert len(c_index) == 20 and len(dice) == 16
    assert [round(sum(column), 3) for column in zip(*c_index, strict=True)] == [
        round(8.449 + 2.299 + 4.485, 3), round(7.776 + 2.126 + 4.124, 3)
    ]  # fmt: skip
    assert [round(sum(column), 3) for column in zip(*dice, strict=True)] == [
        round(5.324 + 2.320 + 4.416, 3), round(5.493 + 2.381 + 4.578, 3)
    ]  # fmt: skip


def test_every_step_comes_after_those_that_it_needs() -> None:
    steps = plan("all", folds=(0, 2), seeds=(2024, 1), test="Dataset008_Y")
    seen: set[str] = set()
    for name, step in steps.items():
        assert seen.issuperset([*step.needs, *step.after]), name
        seen.add(name)


@pytest.mark.parametrize(
    "masks", [{"mask_source": "out_of_fold"}, {"mask_source": "folder", "masks_dir": "/m"}]
)
def test_every_step_is_a_command_in_todays_spelling(
    masks: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    steps = plan("all", folds=(0, 2), seeds=(2024, 1), test="Dataset008_Y", masks=masks)
    for step in steps.values():
        command, *words = step.command
        if command in PARSERS:  # others are nnU-Net's
            PARSERS[command].parse_args(words)
    assert capsys.readouterr().err == ""


def test_all_methods_need_the_stage_one_that_gives_the_regions() -> None:
    steps = plan("all")
    for name in ("LassoCoxPH", "MDSNProxyTrainer", "AdaMSSSurvTrainer_MultiTask", "CovariatesCox", "SUVmax"):
        assert "AdaMSSSegTrainer fold 0" in all_needs(steps, f"{name} fold 0")
    pet_only = steps["AdaMSSSurvTrainer_PETOnly fold 0"]
    assert pet_only.needs == ("AdaMSSSegTrainer_PETOnly fold 0",)
    assert "-seg_tr AdaMSSSegTrainer_PETOnly" in " ".join(pet_only.command)


def test_radiomics_are_extracted_once_for_all_methods_that_use_the_same_masks() -> None:
    steps = plan("table1")
    extractions = {name for name in steps if name.startswith("radiomics")}
    assert extractions == {"radiomics of predicted masks, fold 0", "radiomics of groundtruth masks, fold 0"}
    predicted = {name for name, step in steps.items() if "radiomics of predicted masks, fold 0" in step.needs}
    assert predicted == {
        "AdaMSSSurvTrainer fold 0", "AdaMSSSurvTrainer_Anchored fold 0", "AdaMSSSurvTrainer_NoClinical fold 0",
        "CovariatesCox fold 0",
    }  # fmt: skip


def test_one_step_predicts_the_masks_that_many_share() -> None:
    steps = plan("all", folds=(0, 2))
    sharing = {name for name, step in steps.items() if "TumourVolume fold 2" in step.after}
    assert not any("TumourVolume fold 2" in step.needs for step in steps.values()), "they can do without it"
    assert sharing == {
        "radiomics of predicted masks, fold 2", "CovariatesCox fold 2", "SUVmax fold 2", "MDSNProxyTrainer fold 2",
        "DeepMTLRTrainer fold 2", "DeepMTLRCoxPH fold 2", "TMSSTrainer fold 2", "DeepMTSTrainer fold 2",
        *(f"AdaMSSSurvTrainer{variant} fold 2" for variant in (
            "", "_Anchored", "_NoRadiomics", "_NoClinical", "_ImageOnly", "_SurvivalOnly", "_MultiTask",
        )),
    }  # fmt: skip
    out_of_fold = plan("two_stage", folds=(0, 2), masks={"mask_source": "out_of_fold"})
    for name in ("TumourVolume fold 2", "AdaMSSSurvTrainer_NoRadiomics fold 2"):
        assert "TumourVolume fold 0" in out_of_fold[name].after
    given = plan("all", masks={"mask_source": "groundtruth"})
    assert not any(step.after for step in given.values())


def test_radio_deepmts_needs_deepmts_in_every_fold_of_the_split() -> None:
    steps = plan("radio_deepmts")
    needed = {name for name in all_needs(steps, "RadioDeepMTS fold 0") if name.startswith("DeepMTSTrainer")}
    assert needed == {f"DeepMTSTrainer fold {fold}" for fold in range(3)}
    # They are in no table, unless their own fold is asked for.
    assert not any(steps[name].is_result for name in needed)
    command = " ".join(steps["RadioDeepMTS fold 0"].command)
    assert "-tr RadioDeepMTS --deep_trainer DeepMTSTrainer" in command


def test_the_same_network_under_three_names_is_trained_once() -> None:
    steps = plan("adamss_no_radiomics", "two_stage", "data_driven")
    assert [name for name in steps if "Surv" in name and not name.startswith("fusion")] == [
        "AdaMSSSurvTrainer_NoRadiomics fold 0"
    ]


def test_the_short_schedule_is_that_of_all_trainers() -> None:
    commands = [step.command for step in plan("all", short_schedule=True).values()]
    trainers = {command[command.index("-tr") + 1] for command in commands
                if "-tr" in command and command[0] != "adamss_fit_statistical"}  # fmt: skip
    assert len(trainers) > 15
    assert all("_ShortSchedule" in name for name in trainers)
    assert "AdaMSSSurvTrainer_ShortSchedule_PETOnly" in trainers


def test_trainers_of_the_package_exist_under_these_names() -> None:
    from nnunetv2_adamss.nnunet_plugin import nnunetv2_adamss_trainers as plugin

    known = {name for name in dir(plugin) if not name.startswith("__")}
    used = {
        trainer.name_of(short_schedule=short)
        for method in METHODS
        for trainer in (method.stage_one, method.trainer)
        if trainer
        for short in (False, True)
    }
    assert used <= known


@pytest.mark.parametrize("masks", [{}, {"mask_source": "groundtruth", "mirroring": False}])
def test_every_command_understands_its_options(masks: dict[str, object]) -> None:
    settings = {
        "masks": masks,
        "short_schedule": True,
        "epochs": 3,
        "survival_csv": "/s.csv",
        "test": "Dataset008_Y",
    }
    steps = plan("all", **settings)
    understood = set()
    for step in steps.values():
        name, *arguments = step.command
        if name != "nnUNetv2_train":
            module = import_module(f"nnunetv2_adamss.cli.{name.removeprefix('adamss_')}")
            module.build_parser().parse_args(arguments)
            understood.add(name)
    assert understood == {
        "adamss_extract_radiomics", "adamss_finetune_survival", "adamss_fit_statistical", "adamss_explain",
        "adamss_predict_survival", "adamss_predict_statistical",
    }  # fmt: skip


def test_a_further_seed_has_its_own_results_and_explains_nothing(tmp_path: Path) -> None:
    steps = plan("adamss", seeds=(2024, 7))
    seeded = steps["seed 7: AdaMSSSurvTrainer fold 0"]
    assert seeded.environment == {"nnUNet_results": "OUT/seed_7/nnUNet_results"}
    assert seeded.evidence[0].is_relative_to("OUT/seed_7/nnUNet_results/Dataset007_X")
    assert seeded.needs == ("seed 7: radiomics of predicted masks, fold 0",)
    assert seeded.after == ("seed 7: TumourVolume fold 0",)
    assert steps["AdaMSSSurvTrainer fold 0"].evidence[0].is_relative_to(tmp_path / "results")
    assert [name for name in steps if "fusion weights" in name] == [
        "fusion weights of AdaMSSSurvTrainer fold 0"
    ]


def test_test_patients_are_predicted_by_all_folds_together() -> None:
    steps = plan("adamss", folds=(0, 1), test="Dataset008_Y")
    step = steps["test patients by AdaMSSSurvTrainer"]
    assert step.needs == ("AdaMSSSurvTrainer fold 0", "AdaMSSSurvTrainer fold 1")
    command = " ".join(step.command)
    assert (
        "Dataset008_Y/imagesTr -o OUT/test/folds_0_1/AdaMSSSurvTrainer" in command and " -f 0 1 " in command
    )
    assert "--clinical " in command and "-chk checkpoint_final.pth" in command
    assert "--masks" not in command
    given = plan("adamss", test="Dataset008_Y", masks={"mask_source": "groundtruth"})
    assert "Dataset008_Y/labelsTr" in " ".join(given["test patients by AdaMSSSurvTrainer"].command)


def test_statistical_methods_predict_test_patients_from_what_they_need() -> None:
    steps = plan("table1", test="Dataset008_Y")

    def command(name: str) -> str:
        return " ".join(steps[f"test patients by {name}"].command)

    lasso = steps["test patients by LassoCoxPH"]
    assert lasso.needs == ("LassoCoxPH fold 0", "radiomics of groundtruth masks of test patients")
    assert "--features OUT/test/folds_0/radiomics_groundtruth.csv" in command("LassoCoxPH")
    volume = steps["test patients by TumourVolume"]
    assert volume.needs == ("TumourVolume fold 0", "test patients by AdaMSSSurvTrainer")
    assert "--masks OUT/test/folds_0/AdaMSSSurvTrainer/masks" in command("SUVmax")
    assert "radiomics of predicted masks of test patients" in steps["test patients by CovariatesCox"].needs
    assert "--deep OUT/test/folds_0/DeepMTLRTrainer/survival_predictions.csv" in command("DeepMTLRCoxPH")
    assert "test patients by DeepMTLRTrainer" in steps["test patients by DeepMTLRCoxPH"].needs
    assert "test patients by RadioDeepMTS" not in steps


def test_without_a_network_the_tumours_of_test_patients_are_not_segmented() -> None:
    tested = {name for name in plan("icare", test="Dataset008_Y") if name.startswith("test patients")}
    assert tested == {"test patients by ICARE"}
    others = plan("mdsn_proxy", test="Dataset008_Y")
    assert "test patients by MDSNProxyTrainer" in others["test patients by TumourVolume"].needs
    given = plan("icare", test="Dataset008_Y", masks={"mask_source": "groundtruth"})
    assert "Dataset008_Y/labelsTr" in " ".join(given["test patients by TumourVolume"].command)


def test_fits_look_for_masks_where_their_methods_say() -> None:
    steps = plan("table1", masks={"mask_source": "out_of_fold"}, short_schedule=True)
    with_source = {
        name for name, step in steps.items() if "--mask_source" in step.command and "fold 0" in name
    }
    assert not {name for name in with_source if name.startswith(("LassoCoxPH", "ICARE", "RadioDeepMTS"))}
    assert {"CovariatesCox fold 0", "DeepMTSTrainer_ShortSchedule fold 0"} <= with_source
    # As adamss_fit_statistical names the folder.
    assert steps["RadioDeepMTS_ShortSchedule fold 0"].evidence[0].parents[1].name.startswith(
        "RadioDeepMTS_ShortSchedule__"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("masks", "flags"),
    [
        ({"mask_source": "folder", "masks_dir": "/m"}, "--masks /m --seed"),
        ({"mirroring": False, "seg_checkpoint": "c.pth"}, "--disable_tta -seg_chk c.pth --seed"),
    ],
)
def test_what_is_said_of_masks_is_passed_on(masks: dict[str, object], flags: str) -> None:
    assert flags in " ".join(plan("two_stage", masks=masks)["AdaMSSSurvTrainer_NoRadiomics fold 0"].command)
