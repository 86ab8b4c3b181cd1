"""A user's own trainer folder, found before this package's: the short schedules of both stages, much shorter."""

from nnunetv2_adamss import trainers


class AdaMSSSegTrainer_ShortSchedule(trainers.AdaMSSSegTrainer_ShortSchedule):
    recipe = trainers.AdaMSSSegTrainer_ShortSchedule.recipe.with_schedule(
        n_epochs=2, n_iterations=20, n_val_iterations=4
    )


class AdaMSSSurvTrainer_ShortSchedule_Anchored_NoRadiomics(
    trainers.AdaMSSSurvTrainer_ShortSchedule_Anchored_NoRadiomics
):
    recipe = trainers.AdaMSSSurvTrainer_ShortSchedule_Anchored_NoRadiomics.recipe.with_schedule(
        n_epochs=2, n_iterations=5
    )
