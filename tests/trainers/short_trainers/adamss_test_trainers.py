"""A user's own trainer folder: Stage I in seconds, found through nnUNet_extTrainer like any other."""

from nnunetv2_adamss.trainers.segmentation import AdaMSSSegTrainer


class AdaMSSSegTrainer_ThreeEpochs(AdaMSSSegTrainer):
    def __init__(self, plans, configuration, fold, dataset_json, device=None):  # type: ignore[no-untyped-def]
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs = 3
        self.num_iterations_per_epoch = 2
        self.num_val_iterations_per_epoch = 1
