"""Variants of the Stage-I trainer. Their names stand in users' checkpoints and never change."""

from typing import Any

from nnunetv2_adamss.trainers.segmentation import AdaMSSSegTrainer


class AdaMSSSegTrainer_ShortSchedule(AdaMSSSegTrainer):
    """Minutes instead of hours, for trying things out on small data: 480 iterations, from 1e-3."""

    n_epochs = 12
    n_iterations = 40
    # With fewer, chance picks checkpoint_best: an early epoch has been seen to win on 16 patches.
    n_val_iterations = 25
    learning_rates = (1e-3, 5e-4, 1e-4)

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self) -> tuple[Any, ...]:  # noqa: N802  nnU-Net's name
        """As nnU-Net, without mirroring at prediction, which makes it eight times as long."""
        augmentation = super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        self.inference_allowed_mirroring_axes = None
        return augmentation
