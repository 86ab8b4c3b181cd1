"""A user's own trainer folder, found before this package's: the short schedules of both stages, much shorter."""

from nnunetv2_adamss.trainers import segmentation_variants, survival_variants


class AdaMSSSegTrainer_ShortSchedule(segmentation_variants.AdaMSSSegTrainer_ShortSchedule):
    n_epochs = 2
    n_iterations = 20
    n_val_iterations = 4


class AdaMSSSurvTrainer_ShortSchedule(survival_variants.AdaMSSSurvTrainer_ShortSchedule):
    n_epochs = 2
    n_iterations = 5
