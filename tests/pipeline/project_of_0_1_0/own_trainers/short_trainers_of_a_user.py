"""A user's own trainers, as docs/discovery.md has them: both stages in seconds."""

from nnunetv2_adamss.trainers.adamss_survival import AdaMSSSurvTrainer
from nnunetv2_adamss.trainers.segmentation import AdaMSSSegTrainer


class AdaMSSSegTrainer_OfAUser(AdaMSSSegTrainer):
    def __init__(self, plans, configuration, fold, dataset_json, device=None):  # type: ignore[no-untyped-def]
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs = 3
        self.num_iterations_per_epoch = 15
        self.num_val_iterations_per_epoch = 2


class AdaMSSSurvTrainer_OfAUser(AdaMSSSurvTrainer):
    def __init__(self, plans, configuration, fold, dataset_json, device=None):  # type: ignore[no-untyped-def]
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs = 6
        self.num_iterations_per_epoch = 4
