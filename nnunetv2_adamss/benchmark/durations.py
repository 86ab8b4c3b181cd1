"""How long trainings and fits took."""

from contextlib import suppress
from pathlib import Path

from nnunetv2_adamss.survival.results.fold_files import SUMMARY_FILE
from nnunetv2_adamss.survival.results.summary_file import read_summary
from nnunetv2_adamss.survival.results.training_log import EPOCH_TIMES, read_training_log, training_seconds


def fold_seconds(fold_folder: Path) -> float | None:
    """How long a finished fold was trained or fitted, of either stage; None where it does not say."""
    if (fold_folder / SUMMARY_FILE).is_file():
        seconds = (read_summary(fold_folder).get("training") or {}).get("seconds")
        return None if seconds is None else float(seconds)
    with suppress(ValueError):
        log, is_finished = read_training_log(fold_folder, *EPOCH_TIMES)
        return training_seconds(log) if is_finished else None
    return None


def duration_text(seconds: float) -> str:
    """As people say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
