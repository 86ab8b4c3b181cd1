"""Stage I from end to end on real PET/CT of 28 soft-tissue sarcomas, by the commands that users type."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nnunetv2_adamss.metrics.image_blind_prior import ImageBlindPrior, dice, read_foreground
from tests.pipeline.conftest import TRAINER, StageOneRun

pytestmark = pytest.mark.slow

MODEL = ("-d", "510", "-c", "3d_fullres", "-tr", TRAINER, "-f", "0", "-chk", "checkpoint_best.pth")


@pytest.fixture(scope="module")
def predicted(stage_one_run: StageOneRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Masks of the validation cases, from their raw images."""
    folder = tmp_path_factory.mktemp("predicted")
    images = stage_one_run.images_of(stage_one_run.split["val"], folder / "images")
    masks = folder / "masks"
    stage_one_run.run("nnUNetv2_predict", "-i", str(images), "-o", str(masks), *MODEL, "-device", "cpu")
    return masks


def test_predicted_masks_beat_a_guess_without_the_image(
    stage_one_run: StageOneRun, predicted: Path, report: Callable[[str], None]
) -> None:
    labels = stage_one_run.project.raw / "Dataset510_STS" / "labelsTr"
    split = stage_one_run.split
    truth = {case: read_foreground(labels / f"{case}.nii.gz") for case in split["train"] + split["val"]}
    prior = ImageBlindPrior([truth[case] for case in split["train"]])

    network_dice = np.mean([dice(read_foreground(predicted / f"{c}.nii.gz"), truth[c]) for c in split["val"]])
    prior_dice = np.mean([dice(prior.predict(truth[c].shape), truth[c]) for c in split["val"]])

    report(
        f"Dice of {len(split['val'])} validation cases {network_dice:.3f}, image-blind prior {prior_dice:.3f}"
    )
    report(", ".join(f"{command} {seconds:.0f} s" for command, seconds in stage_one_run.seconds.items()))
    assert network_dice >= 0.50
    assert network_dice >= prior_dice + 0.05


def test_prediction_from_raw_images_equals_the_final_validation(
    stage_one_run: StageOneRun, predicted: Path
) -> None:
    for case in stage_one_run.split["val"]:
        validated = read_foreground(stage_one_run.fold / "validation" / f"{case}.nii.gz")
        again = read_foreground(predicted / f"{case}.nii.gz")
        # So short a training may find no tumour in a case, and two empty masks have no Dice coefficient.
        assert np.array_equal(again, validated) or dice(again, validated) > 0.999


def test_validation_probabilities_are_written_and_sum_to_one(stage_one_run: StageOneRun) -> None:
    case = stage_one_run.split["val"][0]
    probabilities = np.load(stage_one_run.fold / "validation" / f"{case}.npz")["probabilities"]
    assert probabilities.shape[0] == 2
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-3)


def test_validation_can_be_run_again_by_itself(stage_one_run: StageOneRun) -> None:
    summary = stage_one_run.fold / "validation" / "summary.json"
    before = json.loads(summary.read_text())["foreground_mean"]["Dice"]
    summary.unlink()
    stage_one_run.run(
        "nnUNetv2_train", "510", "3d_fullres", "0", "-tr", TRAINER, "-device", "cpu", "--val", "--val_best"
    )
    assert json.loads(summary.read_text())["foreground_mean"]["Dice"] == pytest.approx(before, abs=1e-6)


def test_a_model_zip_predicts_the_same_where_it_is_installed(
    stage_one_run: StageOneRun, predicted: Path, tmp_path: Path
) -> None:
    case = stage_one_run.split["val"][0]
    zip_file, elsewhere, masks = tmp_path / "model.zip", tmp_path / "results", tmp_path / "masks"
    stage_one_run.run(
        "nnUNetv2_export_model_to_zip", "-d", "510", "-o", str(zip_file), "-c", "3d_fullres", "-tr", TRAINER,
        "-f", "0", "-chk", "checkpoint_best.pth",
    )  # fmt: skip
    elsewhere.mkdir()
    stage_one_run.run(
        "nnUNetv2_install_pretrained_model_from_zip", str(zip_file), nnUNet_results=str(elsewhere)
    )
    images = stage_one_run.images_of([case], tmp_path / "images")
    stage_one_run.run(
        "nnUNetv2_predict", "-i", str(images), "-o", str(masks), *MODEL, "-device", "cpu",
        nnUNet_results=str(elsewhere),
    )  # fmt: skip
    found, expected = (read_foreground(folder / f"{case}.nii.gz") for folder in (masks, predicted))
    assert np.array_equal(found, expected)
    shutil.rmtree(elsewhere)
