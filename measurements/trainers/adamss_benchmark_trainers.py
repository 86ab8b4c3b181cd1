"""nnU-Net's default trainer at the length of AdaMSSSegTrainer_ShortSchedule, found through nnUNet_extTrainer."""

import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer


class nnUNetTrainer_480Iterations(nnUNetTrainer):
    """Train nnU-Net's own network for 12 epochs of 40 iterations, and predict without mirroring."""

    def __init__(self, plans, configuration, fold, dataset_json, device=torch.device("cuda")):  # noqa: B008
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs = 12
        self.num_iterations_per_epoch = 40
        self.num_val_iterations_per_epoch = 25

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self):  # noqa: N802  nnU-Net's name
        augmentation = super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        self.inference_allowed_mirroring_axes = None
        return augmentation
