"""Check that a training of Stage I keeps the training cases that it started with."""

from collections.abc import Collection, Mapping
from typing import Any

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE

# Among nnU-Net's ``init_args`` in the checkpoints of Stage I.
TRAINING_CASES = "training_cases"


def check_same_training_cases(begun: Mapping[str, Any], training_cases: Collection[str]) -> None:
    """Raise ValueError if a training was started with other training cases, some of which may be validation cases now.

    Args:
        begun: ``init_args`` of its checkpoint; older ones do not hold the cases.
        training_cases: as they are now.
    """
    before = begun.get(TRAINING_CASES)
    moved = [] if before is None else sorted(set(before) ^ set(training_cases))
    if moved:
        raise ValueError(
            f"{SPLITS_FILE} has changed since this training began: {listed(moved)} are newly or no longer training "
            "cases. Bring the old split back, or move this fold's folder away to train again."
        )
