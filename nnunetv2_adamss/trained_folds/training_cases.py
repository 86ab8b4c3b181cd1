"""The training cases that a training of Stage I was begun with, which must stay the same."""

from collections.abc import Collection, Mapping
from typing import Any

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE

# Among nnU-Net's ``init_args`` in the checkpoints of Stage I.
TRAINING_CASES = "training_cases"


def check_same_training_cases(begun: Mapping[str, Any], training_cases: Collection[str]) -> None:
    """Raise ValueError if a training was begun with other training cases, of which some may be validated now.

    Args:
        begun: ``init_args`` of its checkpoint; older ones do not say.
        training_cases: as they are now.
    """
    before = begun.get(TRAINING_CASES)
    moved = [] if before is None else sorted(set(before) ^ set(training_cases))
    if moved:
        raise ValueError(
            f"{SPLITS_FILE} has changed since this training began: {listed(moved)} are newly or no longer training "
            "cases. Bring the old split back, or move this fold's folder away to train again."
        )
