"""Curves of both stages."""

import torch

from nnunetv2_adamss.display.blocks import Notice, Picture
from nnunetv2_adamss.report.sections import training
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from tests.finished_project import N_EPOCHS, model_folder
from tests.nnunet_project import NnunetProject


def test_curves_say_best_and_last_epoch_and_that_the_best_is_optimistic(
    project: NnunetProject, source: CrossValidation
) -> None:
    checkpoint = torch.load(model_folder(project) / "fold_0" / "checkpoint_final.pth", weights_only=True)
    scores = checkpoint["logging"]["val_c_index"]
    blocks = list(training.stage_two_curves(source))
    (picture,) = [block for block in blocks if isinstance(block, Picture)]
    expected = f"Fold 0: {N_EPOCHS} epochs, last {scores[-1]:.2f}, highest {max(scores):.2f}"
    assert expected in picture.description
    assert any(isinstance(b, Notice) and b.is_caution and "optimistic" in b.text for b in blocks)


def test_a_training_that_still_runs_is_shown_as_far_as_it_is(
    project: NnunetProject, source: CrossValidation
) -> None:
    folder = model_folder(project) / "fold_1"
    (folder / "checkpoint_final.pth").rename(folder / "checkpoint_latest.pth")
    blocks = list(training.stage_two_curves(source))
    notices = [block.text for block in blocks if isinstance(block, Notice)]
    assert "Not finished when this report was written: Fold 1." in notices
    assert any(isinstance(block, Picture) and "Fold 1" in block.description for block in blocks)


def test_damaged_and_missing_checkpoints_are_named_and_the_others_drawn(
    project: NnunetProject, source: CrossValidation
) -> None:
    (model_folder(project) / "fold_0" / "checkpoint_final.pth").write_bytes(b"no checkpoint")
    (model_folder(project) / "fold_1" / "checkpoint_final.pth").unlink()
    blocks = list(training.stage_two_curves(source))
    notices = [block.text for block in blocks if isinstance(block, Notice)]
    assert any("fold_0" in text and "PyTorch cannot read it" in text for text in notices)
    assert any("no checkpoint" in text and "fold_1" in text for text in notices)
    (picture,) = [block for block in blocks if isinstance(block, Picture)]
    assert "Fold 2" in picture.description
    assert "Fold 0" not in picture.description


def test_a_score_that_never_was_a_number_draws_no_best_epoch(
    project: NnunetProject, source: CrossValidation
) -> None:
    file = model_folder(project) / "fold_0" / "checkpoint_final.pth"
    checkpoint = torch.load(file, weights_only=True)
    checkpoint["logging"]["val_c_index"] = [float("nan")] * N_EPOCHS
    torch.save(checkpoint, file)
    (picture,) = [block for block in training.stage_two_curves(source) if isinstance(block, Picture)]
    assert "Fold 0: 12 epochs, last –, highest –" in picture.description  # noqa: RUF001
