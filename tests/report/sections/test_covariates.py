"""What the network gets beside the image, and what it looked at."""

from pathlib import Path

import pandas as pd

from nnunetv2_adamss.display.blocks import Notice, Picture, Table, Text
from nnunetv2_adamss.report.sections import covariates
from nnunetv2_adamss.report.sections.explanation import explanations
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation

PIXEL = bytes.fromhex("89504e470d0a1a0a")


def test_covariates_that_most_folds_use_come_first(source: CrossValidation) -> None:
    for fold, inputs in zip(source.folds, (["hpv=1"], ["age", "hpv=1"], ["hpv=1"]), strict=True):
        fold.summary["covariates"]["inputs"] = inputs
    table = next(block for block in covariates.inputs_of_folds(source) if isinstance(block, Table))
    assert [list(row) for row in table.rows] == [
        ["hpv=1", "yes", "yes", "yes"], ["age", "–", "yes", "–"],  # noqa: RUF001
    ]  # fmt: skip


def test_a_network_that_sees_the_image_alone_is_said_to(source: CrossValidation) -> None:
    for fold in source.folds:
        fold.summary["covariates"]["inputs"] = []
    (text,) = covariates.inputs_of_folds(source)
    assert isinstance(text, Text)
    assert "image alone" in text.text


def test_hazard_ratios_are_those_of_the_files(source: CrossValidation) -> None:
    for fold in source.folds:
        rows = [
            {"indicator": "age", "column": "age", "unit": "standard deviation (9)", "kept": True,
             "screening_p": 0.0004, "univariate_hr": 1.5, "univariate_hr_low": 1.1, "univariate_hr_high": 2.0456,
             "univariate_p": 0.01, "multivariate_hr": None, "multivariate_hr_low": None,
             "multivariate_hr_high": None, "multivariate_p": None, "note": None},
        ]  # fmt: skip
        pd.DataFrame(rows).to_csv(fold.folder / "hazard_ratios.csv", index=False)
    picture, table = covariates.hazard_ratios(source)
    assert isinstance(picture, Picture)
    assert isinstance(table, Table)
    expected = ["age, per standard deviation (9)", "< 0.001", "yes", "1.5 [1.1, 2.05]", "–"]  # noqa: RUF001
    assert [list(row)[1:] for row in table.rows] == [expected] * 3
    assert "age, per standard deviation (9), Fold 0: 1.5 [1.1, 2.05]" in picture.description


def test_an_unbounded_ratio_of_a_separated_indicator_is_drawn_all_the_same(source: CrossValidation) -> None:
    file = source.folds[0].folder / "hazard_ratios.csv"
    table = pd.read_csv(file)
    table["univariate_hr_high"] = 1e304
    table["note"] = "univariate: separation"
    table.to_csv(file, index=False)
    blocks = list(covariates.hazard_ratios(source))
    assert isinstance(blocks[0], Picture)
    assert isinstance(blocks[1], Table)
    assert "separation" in blocks[1].notes[-1]


def test_selected_features_come_with_weight_frequency_and_path(source: CrossValidation) -> None:
    folder = source.folds[1].folder
    (folder / "selected_features.csv").write_text(
        "feature,weight,bootstrap_frequency\nPET_glcm_Idm,-0.21,0.4\nown_score,0.1,\n"
    )
    (folder / "selected_features.png").write_bytes(PIXEL)
    table, picture = covariates.selected_features(source)
    assert isinstance(table, Table)
    assert isinstance(picture, Picture)
    assert [list(row) for row in table.rows] == [
        ["Fold 1", "PET_glcm_Idm", "-0.210", "40%"], ["Fold 1", "own_score", "0.100", "–"],  # noqa: RUF001
    ]  # fmt: skip
    assert "Selected: PET_glcm_Idm and own_score." in picture.description


def write_explanation(folder: Path) -> None:
    for name in ("attention", "occlusion"):
        (folder / "explanation" / name).mkdir(parents=True)
    for case in range(6):
        (folder / "explanation" / "attention" / f"case_{case}.png").write_bytes(PIXEL)
    (folder / "explanation" / "gate_weights.csv").write_text(
        "encoder_stage,stage_one,stage_one_sd,stage_two,stage_two_sd,n_cases\n1,0.5012,0.1,0.61,0.1,6\n"
    )
    (folder / "explanation" / "modality_occlusion.csv").write_text(
        "case_id,risk_score,change_by_CT,change_by_PET\na,-100,10,30\nb,-90,-5,40\nc,-80,20,50\n"
    )


def test_folds_that_were_not_explained_are_named_with_the_command(source: CrossValidation) -> None:
    write_explanation(source.folds[0].folder)
    notices = [block.text for block in explanations(source) if isinstance(block, Notice)]
    assert "fold 1, 2" in notices[0]
    assert (
        "`adamss_explain Dataset903_Finished 3d_fullres 1 -tr AdaMSSSurvTrainer -p nnUNetPlans`" in notices[0]
    )
    assert "not why a risk is high" in notices[1]


def test_gate_weights_modalities_and_some_pictures_are_shown(source: CrossValidation) -> None:
    write_explanation(source.folds[0].folder)
    blocks = list(explanations(source))
    gates, modalities = (block for block in blocks if isinstance(block, Table))
    assert [list(row) for row in gates.rows] == [["1", "0.501", "0.610"]]
    assert [list(row) for row in modalities.rows] == [["CT", "10", "-5", "20"], ["PET", "40", "30", "50"]]
    pictures = [block for block in blocks if isinstance(block, Picture)]
    assert len(pictures) == 4
    assert "2 more lie in" in pictures[-1].caption
    assert pictures[0].source.startswith("data:image/png;base64,")
