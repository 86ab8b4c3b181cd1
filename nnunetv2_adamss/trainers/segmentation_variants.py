"""Variants of the Stage-I trainer. Their names stand in users' checkpoints and never change."""

from typing import Any

import torch

from nnunetv2_adamss.trainers.segmentation import AdaMSSSegTrainer


class AdaMSSSegTrainer_ShortSchedule(AdaMSSSegTrainer):
    """Minutes instead of hours, for trying things out on small data: 480 iterations, from 1e-3."""

    learning_rates = (1e-3, 5e-4, 1e-4)

    def __init__(
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cuda"),  # noqa: B008  nnU-Net's own signature
    ) -> None:
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs = 12
        self.num_iterations_per_epoch = 40
        # With fewer, chance picks checkpoint_best: an early epoch has been seen to win on 16 patches.
        self.num_val_iterations_per_epoch = 25

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self) -> tuple[Any, ...]:  # noqa: N802  nnU-Net's name
        """As nnU-Net, without mirroring at prediction, which makes it eight times as long."""
        augmentation = super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        self.inference_allowed_mirroring_axes = None
        return augmentation
