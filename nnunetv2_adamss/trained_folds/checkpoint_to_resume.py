"""Which checkpoint of a fold ``--c`` and ``--val`` take, found by the files alone, without PyTorch."""

from pathlib import Path

from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINT_FILES, latest_checkpoint


def checkpoint_to_resume(
    folder: Path, *, continue_training: bool, only_validation: bool, overwrite: bool
) -> Path | None:
    """Find the checkpoint for ``--c`` or ``--val``; None for a new training, and for one without a checkpoint.

    Args:
        folder: of the fold; it may not exist.
        continue_training: from the latest checkpoint.
        only_validation: of a finished training.
        overwrite: whether an existing training is replaced.

    Raises:
        ValueError: if the request does not fit the existing training.
    """
    there, final = latest_checkpoint(folder), folder / CHECKPOINT_FILES[0]
    if only_validation and there != final:
        raise ValueError(f"--val needs a finished training, but {final} does not exist.")
    if continue_training or only_validation:
        return there
    if there is not None and not overwrite:
        is_finished = there == final
        raise ValueError(
            f"{folder} holds {'a finished' if is_finished else 'an unfinished'} training. "
            + ("Score it again with --val" if is_finished else "Continue it with --c")
            + ", or start again with --overwrite."
        )
    return None
