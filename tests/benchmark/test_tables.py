"""The tables against figures computed by hand, from prediction files as trainings leave them."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from nnunetv2_adamss.benchmark.collect import GENERAL_NOTES, Collection
from nnunetv2_adamss.benchmark.rank_fusion_row import RankFusion
from nnunetv2_adamss.benchmark.tables_text import ResultTable
from nnunetv2_adamss.benchmark.write_tables import read_benchmark, write_tables
from nnunetv2_adamss.display.words import NONE
from nnunetv2_adamss.metrics.estimate import least_p
from tests.benchmark.project import CASES, DATASET, FOLDS, FakeBenchmark, make_test_set, write_mask
from tests.benchmark.results import collect, write_fold, write_method

# A fold of twenty with an event each.
PAIRS_OF_FOLD = 190


def numbers_of(table: ResultTable) -> pd.DataFrame:
    return table.numbers.set_index("method")


def cells_of(table: ResultTable, title: str) -> list[str]:
    return list(next(row for row in table.rows if row[0] == title))


def notes_of(table: ResultTable) -> str:
    return "\n".join(table.notes)


def test_the_c_index_is_the_share_of_pairs_within_folds(fake_benchmark: FakeBenchmark) -> None:
    write_method(fake_benchmark, "AdaMSSSurvTrainer", 0, 0)
    write_method(fake_benchmark, "ICARE", 3, 8)
    (table,) = collect(fake_benchmark, "adamss", "icare").tables()
    row = numbers_of(table).loc["icare"]
    assert row["n_pairs"] == 2 * PAIRS_OF_FOLD
    assert row["c_index"] == pytest.approx(1 - 11 / (2 * PAIRS_OF_FOLD))
    assert row["c_index_low"] < row["c_index"] < row["c_index_high"]
    assert row["reference_less_it"] == pytest.approx(11 / (2 * PAIRS_OF_FOLD))
    assert row["training_seconds_a_fold"] == 3600 and row["parameters"] == 1000
    assert row["c_index_fold_0"] == pytest.approx(1 - 3 / PAIRS_OF_FOLD)
    assert row["c_index_fold_1"] == pytest.approx(1 - 8 / PAIRS_OF_FOLD)
    assert row["n_pairs_fold_1"] == PAIRS_OF_FOLD
    assert cells_of(table, "ICARE")[-1] == "0.765; 0.688"


def test_unos_c_is_harrells_without_censoring_and_weighs_late_pairs_more_with_it(
    fake_benchmark: FakeBenchmark,
) -> None:
    write_method(fake_benchmark, "ICARE", 3, 8)
    row = numbers_of(collect(fake_benchmark, "icare").tables()[0]).loc["icare"]
    assert row["uno_c"] == pytest.approx(row["c_index"]) and row["uno_truncation_time"] == len(CASES)
    # Of the first ten days every second patient is censored, so later pairs count for more. What is wrong is early.
    rows = [
        f"{case_id},{number + 1},{int(number >= 10 or number % 2)}" for number, case_id in enumerate(CASES)
    ]
    outcomes = fake_benchmark.project.raw / DATASET / "survival.csv"
    outcomes.write_text("\n".join(["case_id,time,event", *rows]))
    table = collect(fake_benchmark, "icare").tables()[0]
    row = numbers_of(table).loc["icare"]
    assert row["c_index"] < row["uno_c"] < 1
    assert cells_of(table, "ICARE")[4] == f"{row['uno_c']:.3f}"
    assert "up to 40 days" in notes_of(table)


def test_p_values_are_corrected_for_the_comparisons_of_the_table(fake_benchmark: FakeBenchmark) -> None:
    write_method(fake_benchmark, "AdaMSSSurvTrainer", 0, 0)
    write_method(fake_benchmark, "ICARE", 9, 9)
    write_method(fake_benchmark, "LassoCoxPH", 4, 0)
    write_method(fake_benchmark, "TumourVolume", 0, 0)
    for name in ("CovariatesCox", "SUVmax"):
        write_method(fake_benchmark, name, 0, 0)
    (table,) = collect(fake_benchmark, "adamss", "icare", "lasso_cox").tables()
    rows = numbers_of(table)
    # No resample makes 18 wrong pairs better than none: the smallest P that 1,000 of them can give with two folds of 19
    # events that somebody outlives.
    assert rows.loc["icare", "p_value"] == pytest.approx(least_p(1000, 38))
    assert rows.loc["icare", "p_value_holm"] == pytest.approx(5 * least_p(1000, 38))
    assert cells_of(table, "ICARE")[5:7] == ["≤ 0.004", "≤ 0.021"]
    # Two of twenty patients are both in a resample with this chance; without all four pairs there is no difference.
    both = 1 - 2 * (1 - 1 / 20) ** 20 + (1 - 2 / 20) ** 20
    assert rows.loc["lasso_cox", "p_value"] == pytest.approx(2 * (1 - both) ** 4, abs=0.06)
    assert rows.loc["tumour_volume", "p_value"] == 1 == rows.loc["tumour_volume", "p_value_holm"]
    assert np.isnan(rows.loc["adamss", "p_value"])
    assert "the 5 planned comparisons of this table." in notes_of(table)


def test_comparisons_that_are_planned_but_not_there_yet_count_and_are_named(
    fake_benchmark: FakeBenchmark,
) -> None:
    write_method(fake_benchmark, "AdaMSSSurvTrainer", 0, 0)
    write_method(fake_benchmark, "ICARE", 9, 9)
    (table,) = collect(fake_benchmark, "adamss", "icare").tables()
    assert numbers_of(table).loc["icare", "p_value_holm"] == pytest.approx(4 * least_p(1000, 38))
    assert numbers_of(table)["p_value_holm"].notna().sum() == 1
    assert (
        "corrected for the 4 planned comparisons of this table, of which these are not there yet and count as not "
        "significant: Cox model on the covariates, Tumour volume, SUVmax."
    ) in notes_of(table)


def test_without_the_reference_there_are_no_p_values(fake_benchmark: FakeBenchmark) -> None:
    write_method(fake_benchmark, "ICARE", 1, 1)
    (table,) = collect(fake_benchmark, "icare").tables()
    assert numbers_of(table)["p_value"].isna().all()
    assert "P: none, since AdaMSS is not among the methods" in notes_of(table)
    (table,) = collect(fake_benchmark, "icare", "adamss").tables()
    assert "P: none, since AdaMSS is not finished" in notes_of(table)


def test_a_method_that_is_not_finished_says_so(fake_benchmark: FakeBenchmark) -> None:
    write_fold(fake_benchmark, "ICARE", 0)
    (table,) = collect(fake_benchmark, "icare").tables()
    assert cells_of(table, "ICARE")[1:4] == ["none, see below", NONE, NONE]
    assert "ICARE, C-index: not finished: fold 1." in table.notes


def test_predictions_that_cannot_be_read_cost_their_method_its_figures_only(
    fake_benchmark: FakeBenchmark,
) -> None:
    write_method(fake_benchmark, "ICARE", 0, 0)
    write_method(fake_benchmark, "SUVmax", 0, 0)
    file = fake_benchmark.fold("ICARE", 1) / "validation" / "survival_predictions.csv"
    file.write_text("case_id,risk\ncase_01,1\n")
    (table,) = collect(fake_benchmark, "icare").tables()
    assert "ICARE, C-index: " in notes_of(table) and "risk_score" in notes_of(table)
    assert numbers_of(table).loc["suv_max", "c_index"] == 1


@pytest.mark.parametrize(
    "summary", [{"settings": None}, {"settings": {}, "c_index": {}}, {"predictions_from": None}]
)
def test_a_summary_that_lacks_what_it_should_hold_is_named(
    fake_benchmark: FakeBenchmark, summary: dict[str, object]
) -> None:
    write_method(fake_benchmark, "ICARE", 0, 0, **summary)
    with pytest.raises(ValueError, match=r"survival_summary\.json is damaged"):
        collect(fake_benchmark, "icare").tables()


def test_the_c_index_of_each_fold_is_shown_where_folds_have_enough_pairs(
    fake_benchmark: FakeBenchmark,
) -> None:
    write_method(fake_benchmark, "ICARE", 0, 10)
    (table,) = collect(fake_benchmark, "icare").tables()
    assert (
        dict(zip(table.header, cells_of(table, "ICARE"), strict=True))["C-index of each fold"]
        == "1.000, 0.947"
    )


def test_under_ten_events_nothing_is_estimated(fake_benchmark: FakeBenchmark) -> None:
    censored = [f"{case_id},{number + 1},{int(number in (36, 37))}" for number, case_id in enumerate(CASES)]
    (fake_benchmark.project.raw / DATASET / "survival.csv").write_text(
        "\n".join(["case_id,time,event", *censored])
    )
    write_method(fake_benchmark, "AdaMSSSurvTrainer", 0, 0)
    write_method(fake_benchmark, "ICARE", 0, 0)
    (table,) = collect(fake_benchmark, "adamss", "icare").tables()
    assert cells_of(table, "ICARE")[1:5] == ["not estimable", "2", NONE, NONE]
    assert (
        "ICARE, C-index: not estimable: only 2 events in comparable pairs, at least 10 are needed."
        in table.notes
    )


def test_dice_is_the_mean_over_patients_of_all_labels_as_one(fake_benchmark: FakeBenchmark) -> None:
    """References have 4 voxels, the first of another label. Masks of 4 have Dice 1, of 2 Dice 2 * 2 / 6."""
    for fold, cases in enumerate(FOLDS):
        folder = fake_benchmark.fold("AdaMSSSegTrainer", fold) / "stage1_masks"
        folder.mkdir(parents=True)
        for number, case_id in enumerate(cases):
            write_mask(folder / f"{case_id}.nii.gz", 4 if number < 5 else 2)
    (table,) = collect(fake_benchmark, "segmentation_only").tables()
    row = numbers_of(table).loc["segmentation_only"]
    expected = (10 * 1 + 30 * 2 / 3) / 40
    assert row["dice"] == pytest.approx(expected)
    # Standard error of a mean of 40 of which a quarter differs by a third.
    standard_error = np.sqrt(0.25 * 0.75) / 3 / np.sqrt(40)
    assert row["dice_high"] - row["dice_low"] == pytest.approx(2 * 1.96 * standard_error, rel=0.15)
    assert row["c_index"] is None
    assert cells_of(table, "STL, segmentation only")[1:5] == [NONE] * 4


def test_dice_is_also_that_of_all_voxels_together_and_of_each_label(fake_benchmark: FakeBenchmark) -> None:
    """References have 1 voxel of node and 3 of tumour; masks of 2 have 1 of each, where one patient of 40 has them."""
    for fold, cases in enumerate(FOLDS):
        folder = fake_benchmark.fold("AdaMSSSegTrainer", fold) / "stage1_masks"
        folder.mkdir(parents=True)
        for case_id in cases:
            write_mask(folder / f"{case_id}.nii.gz", 2 if case_id == "case_00" else 4)
    (table,) = collect(fake_benchmark, "segmentation_only").tables()
    row = numbers_of(table).loc["segmentation_only"]
    assert row["dice"] == pytest.approx((39 + 2 / 3) / 40)
    assert row["dice_aggregated"] == pytest.approx(2 * (39 * 4 + 2) / (39 * 8 + 6))
    assert row["dice_of_node"] == row["dice_aggregated_of_node"] == 1
    assert row["dice_of_tumour"] == pytest.approx((39 + 2 / 4) / 40)
    assert row["dice_aggregated_of_tumour"] == pytest.approx(2 * (39 * 3 + 1) / (39 * 6 + 4))


def test_lesions_of_each_label_that_are_found_have_their_f1(fake_benchmark: FakeBenchmark) -> None:
    """References have a lesion of each label; a quarter of the masks has no tumour, but the node."""
    for fold, cases in enumerate(FOLDS):
        folder = fake_benchmark.fold("AdaMSSSegTrainer", fold) / "stage1_masks"
        folder.mkdir(parents=True)
        for number, case_id in enumerate(cases):
            write_mask(folder / f"{case_id}.nii.gz", 1 if number < 5 else 4)
    (table,) = collect(fake_benchmark, "segmentation_only").tables()
    row = numbers_of(table).loc["segmentation_only"]
    assert row["lesion_f1_of_node"] == 1
    assert row["lesion_f1_of_tumour"] == pytest.approx(2 * 30 / (2 * 30 + 10))


def test_a_mask_that_cannot_be_read_removes_only_its_own_dice(
    fake_benchmark: FakeBenchmark,
) -> None:
    write_method(fake_benchmark, "AdaMSSSurvTrainer_MultiTask", 0, 0)
    references = fake_benchmark.project.preprocessed / DATASET / "gt_segmentations"
    for fold in range(2):
        for folder in (
            fake_benchmark.fold("AdaMSSSurvTrainer_MultiTask", fold) / "validation" / "masks",
            fake_benchmark.fold("AdaMSSSegTrainer", fold) / "stage1_masks",
        ):
            shutil.copytree(references, folder)
    damaged = folder / f"{FOLDS[1][3]}.nii.gz"
    damaged.write_bytes(damaged.read_bytes()[:20])
    (table,) = collect(fake_benchmark, "multi_task", "segmentation_only").tables()
    rows = numbers_of(table)
    assert rows.loc["multi_task", "dice"] == 1 and np.isnan(rows.loc["segmentation_only", "dice"])
    assert rows.loc["segmentation_only", "dice_reason"] == f"{damaged} cannot be read as an image"
    assert f"STL, segmentation only, Dice: {damaged} cannot be read as an image" in notes_of(table)
    assert "The Dice of MTL is of masks within the 160 mm region that Stage I's mask has placed" in notes_of(
        table
    )


def test_a_network_that_segments_is_evaluated_by_its_own_masks(fake_benchmark: FakeBenchmark) -> None:
    write_method(fake_benchmark, "AdaMSSSurvTrainer_MultiTask", 0, 0)
    references = fake_benchmark.project.preprocessed / DATASET / "gt_segmentations"
    for fold in range(2):
        folder = fake_benchmark.fold("AdaMSSSurvTrainer_MultiTask", fold) / "validation" / "masks"
        shutil.copytree(references, folder)
    (table,) = collect(fake_benchmark, "multi_task").tables()
    assert numbers_of(table).loc["multi_task", "dice"] == 1
    (folder / f"{FOLDS[1][0]}.nii.gz").unlink()
    (table,) = collect(fake_benchmark, "multi_task").tables()
    assert "MTL, Dice: 1 mask is missing, such as " in notes_of(table)


def test_seeds_have_a_mean_and_a_standard_deviation(fake_benchmark: FakeBenchmark) -> None:
    write_method(fake_benchmark, "ICARE", 0, 0)
    results = fake_benchmark.project.results
    moved = fake_benchmark.output / "seed_5" / "nnUNet_results"
    moved.mkdir(parents=True)
    first = results / DATASET / "ICARE__nnUNetPlans__3d_fullres"
    shutil.move(first, moved / DATASET / first.name)
    write_method(fake_benchmark, "ICARE", 5, 5)
    (table,) = collect(fake_benchmark, "icare", seeds=(2024, 5)).tables()
    row = numbers_of(table).loc["icare"]
    worse = 1 - 10 / (2 * PAIRS_OF_FOLD)
    assert row["c_index"] == pytest.approx(worse)
    assert row["c_index_mean_of_seeds"] == pytest.approx((1 + worse) / 2)
    assert row["c_index_sd_of_seeds"] == pytest.approx((1 - worse) / np.sqrt(2))
    assert "0.987, 0.019 (2)" in cells_of(table, "ICARE")
    (table,) = collect(fake_benchmark, "icare", seeds=(2024, 5, 6, 7)).tables()
    assert "ICARE: seeds 6, 7 are not finished, and not in C over seeds." in table.notes
    assert "0.987, 0.019 (2)" in cells_of(table, "ICARE")


def test_trainings_that_were_made_otherwise_or_flatter_are_named(fake_benchmark: FakeBenchmark) -> None:
    chosen = {"c_index": {"best": {"selected_on_this_fold": True}}, "predictions_from": "best"}
    write_method(fake_benchmark, "AdaMSSSurvTrainer", 0, 0, settings={"seed": 7, "epochs": 2}, **chosen)
    (table,) = collect(fake_benchmark, "adamss").tables()
    assert "AdaMSS: fold 0, 1 made before with seed 7, not 2024." in table.notes
    assert "AdaMSS: fold 0, 1 made before with epochs 2, not None." in table.notes
    assert "AdaMSS: optimistic, since the epoch of fold 0, 1 was chosen on the patients" in notes_of(table)


def test_trainings_with_other_inputs_than_the_benchmarks_are_named(fake_benchmark: FakeBenchmark) -> None:
    other = {
        "features_csv": ["/genes.csv"], "seg_trainer": "AdaMSSSegTrainer_ShortSchedule", "n_intervals": 30,
        "pool": "crops", "clinical_selection": "none", "max_features": 50,
    }  # fmt: skip
    for name in ("AdaMSSSurvTrainer", "MDSNProxyTrainer", "CovariatesCox"):
        write_method(fake_benchmark, name, 0, 0, settings=other)
    (table,) = collect(fake_benchmark, "adamss", "mdsn_proxy").tables()
    shared = {
        "seg_trainer AdaMSSSegTrainer_ShortSchedule, not AdaMSSSegTrainer", "features_csv ['/genes.csv'], not []",
        "clinical_selection none, not likelihood_ratio", "max_features 50, not None",
    }  # fmt: skip
    expected = {
        "AdaMSS": shared | {"n_intervals 30, not 10", "pool crops, not region"},
        "MDSN (proxy)": shared,  # whose own intervals are others
        "Cox model on the covariates": {"features_csv ['/genes.csv'], not []", "max_features 50, not None"},
    }
    for title, differences in expected.items():
        said = {note for note in table.notes if note.startswith(f"{title}: ") and "made before" in note}
        assert said == {f"{title}: fold 0, 1 made before with {difference}." for difference in differences}


def test_the_rule_for_the_number_of_features_stands_below_the_table(fake_benchmark: FakeBenchmark) -> None:
    names = ("ICARE", "AdaMSSSurvTrainer", "AdaMSSSurvTrainer_ImageOnly")
    for name in names:
        write_method(fake_benchmark, name, 0, 0)
    # As version 0.1 fitted it.
    write_method(fake_benchmark, "LassoCoxPH", 0, 0, settings={"seed": 2024, "max_features": 100_000})
    (table,) = collect(fake_benchmark, "lasso_cox", "icare", "adamss", "adamss_image_only").tables()
    (rule,) = [note for note in table.notes if note.startswith("Features: ")]
    assert rule == (
        "Features: Lasso-CoxPH, AdaMSS and Cox model on the covariates may use one for every 10 events among the "
        "training patients of a fold, clinical columns counted, image features not; they are chosen on these "
        "patients alone. ICARE selects none beforehand, by design: its estimators draw from all."
    )
    assert "Lasso-CoxPH: fold 0, 1 made before with max_features 100000, not None." in table.notes


def test_a_method_of_two_parts_has_the_parameters_of_both(fake_benchmark: FakeBenchmark) -> None:
    write_method(fake_benchmark, "DeepMTLRTrainer", 0, 0, training={"seconds": 100.0, "parameters": 5000})
    write_method(fake_benchmark, "DeepMTLRCoxPH", 0, 0, training={"seconds": 1.0, "parameters": 4})
    row = numbers_of(collect(fake_benchmark, "deepmtlr_cox").tables()[0]).loc["deepmtlr_cox"]
    assert row["parameters"] == 5004 and row["training_seconds_a_fold"] == 101


def test_only_settings_that_matter_to_a_method_are_compared(fake_benchmark: FakeBenchmark) -> None:
    other = {"mask_source": "folder", "masks_dir": "/m", "mirroring": False, "epochs": 2, "select": "best"}
    for name in ("ICARE", "RadioDeepMTS", "DeepMTSTrainer"):
        write_method(fake_benchmark, name, 0, 0, settings={"seed": 2024, **other})
    write_method(fake_benchmark, "SUVmax", 0, 0, settings={"seed": 2024, "mirroring": False, "epochs": 2})
    (table,) = collect(fake_benchmark, "icare", "radio_deepmts").tables()
    assert [note for note in table.notes if "made before" in note] == [
        *(f"Radio-DeepMTS: fold 0, 1 of DeepMTSTrainer made before with {difference}." for difference in (
            "mask_source folder, not predicted", "masks_dir /m, not None", "mirroring False, not True",
            "epochs 2, not None", "select best, not last",
        )),
        "SUVmax: fold 0, 1 made before with mirroring False, not True.",
    ]  # fmt: skip
    assert "Radio-DeepMTS: scores and masks of a fold's training patients come from networks" in notes_of(
        table
    )


@pytest.mark.parametrize(
    ("masks", "whose"),
    [
        ({}, "Stage I, by checkpoint_best.pth, which was chosen by its Dice on patches of the same patients"),
        ({"seg_checkpoint": "checkpoint_final.pth"}, "Stage I, by checkpoint_final.pth."),
        (
            {"mask_source": "groundtruth"},
            "nnU-Net's validation of Stage I, by default of its best epoch, which",
        ),
    ],
)
def test_it_is_said_whose_masks_the_dice_is_of(
    fake_benchmark: FakeBenchmark, masks: dict[str, str], whose: str
) -> None:
    (table,) = collect(fake_benchmark, "segmentation_only", masks=masks).tables()
    assert f"they are those of {whose}" in notes_of(table)


def test_the_times_of_both_stages_add_up(fake_benchmark: FakeBenchmark) -> None:
    write_method(fake_benchmark, "AdaMSSSurvTrainer", 0, 0)
    log = {"epoch_start_timestamps": [0.0, 5000.0], "epoch_end_timestamps": [600.0, 5600.0]}
    for fold in range(2):
        folder = fake_benchmark.fold("AdaMSSSegTrainer", fold)
        folder.mkdir(parents=True)
        torch.save({"logging": log}, folder / "checkpoint_final.pth")
    (table,) = collect(fake_benchmark, "adamss").tables()
    assert numbers_of(table).loc["adamss", "training_seconds_a_fold"] == 1200 + 3600
    assert "80 min" in cells_of(table, "AdaMSS")


def test_table_four_is_the_mean_over_folds(fake_benchmark: FakeBenchmark) -> None:
    write_method(fake_benchmark, "AdaMSSSurvTrainer", 0, 0)
    for fold, weights in enumerate(("1,0.5,0.2", "1,0.3,0.4")):
        folder = fake_benchmark.output / "fusion_weights" / "AdaMSSSurvTrainer" / f"fold_{fold}"
        folder.mkdir(parents=True)
        (folder / "gate_weights.csv").write_text(f"encoder_stage,stage_one,stage_two\n{weights}\n")
    # A user's own explanation, perhaps of another epoch.
    own = fake_benchmark.fold("AdaMSSSurvTrainer", 0) / "explanation" / "gate_weights.csv"
    own.parent.mkdir()
    own.write_text("encoder_stage,stage_one,stage_two\n1,0.9,0.9\n")
    table = collect(fake_benchmark, "adamss").tables()[-1]
    assert table.name == "table_4"
    assert "over the folds (2), with the standard deviation between them" in notes_of(table)
    of_one = collect(fake_benchmark, "adamss", folds=(1,)).tables()[-1]
    assert of_one.rows[0][1] == "0.300"
    assert "of fold 1 alone" in notes_of(of_one) and "deviation" not in notes_of(of_one)
    for content in ("", "a\n", "encoder_stage,stage_one,stage_two\n1,x,0.2\n"):
        (folder / "gate_weights.csv").write_text(content)
        with pytest.raises(ValueError, match="fold_1/gate_weights.csv holds no fusion weights"):
            collect(fake_benchmark, "adamss").tables()
    (folder / "gate_weights.csv").write_text(f"encoder_stage,stage_one,stage_two\n{weights}\n")
    assert [list(row) for row in table.rows] == [
        ["after Stage I", "0.400 (SD 0.141)"], ["after Stage II", "0.300 (SD 0.141)"]
    ]  # fmt: skip


def test_test_patients_have_tables_of_their_own(fake_benchmark: FakeBenchmark) -> None:
    chosen = {"c_index": {"best": {"selected_on_this_fold": True}}, "predictions_from": "best"}
    write_method(fake_benchmark, "AdaMSSSurvTrainer", 0, 0, settings={"seed": 7}, **chosen)
    make_test_set(fake_benchmark.project)
    folder = fake_benchmark.output / "test" / "folds_0_1" / "AdaMSSSurvTrainer"
    (folder / "masks").mkdir(parents=True)
    cases = [f"test_{number:02d}" for number in range(12)]
    for case_id in cases:
        write_mask(folder / "masks" / f"{case_id}.nii.gz", 2)
    # The first two change places: one of 66 pairs is wrong.
    rows = [f"{case_id},{-risk}" for case_id, risk in zip(cases, [1, 0, *range(2, 12)], strict=True)]
    (folder / "survival_predictions.csv").write_text("\n".join(["case_id,risk_score", *rows]))
    collection = collect(fake_benchmark, "adamss", "icare", "radio_deepmts", test="Dataset008_Test")
    table = collection.tables()[-1]
    assert table.name == "table_1_test"
    row = numbers_of(table).loc["adamss"]
    assert row[["n_patients", "n_pairs"]].tolist() == [12, 66]
    assert row["c_index"] == pytest.approx(1 - 1 / 66)
    assert row["dice"] == pytest.approx(2 / 3)
    assert "ICARE, C-index: the test patients are not predicted." in table.notes
    assert "Radio-DeepMTS, C-index: it needs radiomics of its network's masks" in notes_of(table)
    assert "AdaMSS: fold 0, 1 made before with seed 7, not 2024." in table.notes
    assert "optimistic" not in notes_of(table), "since the last epoch predicts them"
    assert collection.provenance()["patients"]["test"]["n_events"] == 12


def test_given_reference_masks_of_test_patients_have_no_dice(fake_benchmark: FakeBenchmark) -> None:
    make_test_set(fake_benchmark.project)
    given = {"test": "Dataset008_Test", "masks": {"mask_source": "groundtruth"}}
    table = collect(fake_benchmark, "two_stage", "segmentation_only", "multi_task", **given).tables()[-1]
    assert numbers_of(table)["dice"].isna().all()
    for title in ("SSL", "STL, segmentation only"):
        assert f"{title}, Dice: the reference masks were given, so no network segmented" in notes_of(table)


def test_patients_of_another_table_are_an_error(fake_benchmark: FakeBenchmark) -> None:
    write_method(fake_benchmark, "ICARE", 0, 0)
    other = fake_benchmark.project.root / "other.csv"
    other.write_text("case_id,time,event\nsomebody,1,1\n")
    with pytest.raises(ValueError, match="no row: case_00"):
        collect(fake_benchmark, "icare", survival_csv=str(other)).tables()


def test_what_is_written_says_where_it_comes_from_and_is_read_again(fake_benchmark: FakeBenchmark) -> None:
    write_method(fake_benchmark, "ICARE", 1, 2)
    collection = collect(fake_benchmark, "icare")
    output = fake_benchmark.output
    output.mkdir()
    (output / "table_3.csv").write_text("of an earlier run")
    (output / "table_patients.csv").write_text("the user's")
    written = write_tables(output, collection.tables(), GENERAL_NOTES, collection.provenance())
    assert [file.name for file in written] == ["table_1.csv", "tables.md", "tables.json"]
    assert sorted(path.name for path in output.iterdir()) == [
        "table_1.csv", "table_patients.csv", "tables.json", "tables.md"
    ]  # fmt: skip
    markdown = (output / "tables.md").read_text()
    assert "- validation patients: 40 with 40 events" in markdown
    assert "- split (SHA-256): " in markdown and "- seeds: 2024" in markdown
    assert "PUBLISHED are the paper's figures" in markdown
    shown, *_ = read_benchmark(output)
    assert [table.caption for table in shown] == ["Table I: AdaMSS and other methods"]
    assert shown[0].rows[0][0] == "ICARE"
    of_one = pd.read_csv(output / "table_1.csv", dtype=str).set_index("method").loc["icare"]
    counts = ["n_patients", "n_pairs", "parameters", "n_pairs_fold_0"]
    assert of_one[counts].tolist() == ["40", "380", "1000", "190"]
    content = json.loads((output / "tables.json").read_text())
    (numbers,) = [row for row in content["tables"][0]["numbers"] if row["method"] == "icare"]
    assert (numbers["n_pairs"], numbers["p_value"]) == (380, None)
    assert numbers["c_index"] == pytest.approx(1 - 3 / 380)
    # The sign of version 0.1 for what is missing, in the file alone.
    place = content["tables"][0]["header"].index("P (Holm)")
    assert content["tables"][0]["rows"][0][place] == "/" and shown[0].rows[0][place] == NONE
    for damaged in ("", "{}", "[]", "{", '{"tables": [{"a": 1}], "notes": [], "provenance": {}}',
                    '{"tables": [], "notes": [], "provenance": {}}'):  # fmt: skip
        (output / "tables.json").write_text(damaged)
        with pytest.raises(ValueError, match=r"tables\.json"):
            read_benchmark(output)
    with pytest.raises(ValueError, match="adamss_benchmark writes it"):
        read_benchmark(output / "nowhere")


def test_a_fusion_of_methods_is_a_row_of_their_mean_ranks_within_folds(fake_benchmark: FakeBenchmark) -> None:
    """Neighbours that ICARE alone confuses have equal ranks together, which count half."""
    write_method(fake_benchmark, "AdaMSSSurvTrainer", 0, 0)
    write_method(fake_benchmark, "ICARE", 3, 8)
    (table,) = fuse(fake_benchmark, "icare", "adamss").tables()
    row, half_wrong = numbers_of(table).loc["rank_fusion"], 11 / 2 / (2 * PAIRS_OF_FOLD)
    assert row["title"] == "Rank fusion of ICARE and AdaMSS"
    assert row["c_index"] == pytest.approx(1 - half_wrong)
    assert row["c_index_low"] < row["c_index"] < row["c_index_high"]
    assert row["reference_less_it"] == pytest.approx(half_wrong)
    assert 0 < row["p_value"] < row["p_value_holm"]
    assert cells_of(table, "Rank fusion of ICARE and AdaMSS")[-1] == "not in the paper"
    assert "the mean of a patient's ranks by these methods among the patients of the same fold" in notes_of(
        table
    )
    assert "the 5 planned comparisons of this table" in notes_of(table)


def test_a_fusion_waits_for_all_its_methods(fake_benchmark: FakeBenchmark) -> None:
    write_method(fake_benchmark, "AdaMSSSurvTrainer", 0, 0)
    write_fold(fake_benchmark, "ICARE", 0)
    (table,) = fuse(fake_benchmark, "icare", "adamss").tables()
    assert "Rank fusion of ICARE and AdaMSS, C-index: there is no risk by ICARE." in table.notes


def test_a_fusion_has_the_patients_whom_all_its_methods_predict(fake_benchmark: FakeBenchmark) -> None:
    for name in ("AdaMSSSurvTrainer", "ICARE"):
        write_method(fake_benchmark, name, 0, 0)
    file = fake_benchmark.fold("ICARE", 1) / "validation" / "survival_predictions.csv"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-2]))
    (table,) = fuse(fake_benchmark, "icare", "adamss").tables()
    assert numbers_of(table).loc["rank_fusion", "n_patients"] == 38


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["adamss"], "needs two methods at least, not adamss"),
        (["adamss", "icare", "table2"], "needs two methods at least, not table2"),
        (["two_stage", "segmentation_only"], "segmentation_only predicts no survival"),
        (["adamss", "pet_only"], "adamss and pet_only have no table in common"),
    ],
)
def test_methods_that_cannot_be_fused_are_named(names: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RankFusion.of(names)


def fuse(project: FakeBenchmark, *names: str) -> Collection:
    return replace(collect(project, *names), fusion=RankFusion.of(names))
