"""A user's own trainer folder, found before this package's: the short schedules of both stages, much shorter."""

from nnunetv2_adamss import trainers


class AdaMSSSegTrainer_ShortSchedule(trainers.AdaMSSSegTrainer_ShortSchedule):
    """A third of the voxels for each label, as first weights give it: batch normalisation learns, hardly anything else.

    After some dozens of iterations at the usual rate, a network may mark nothing, and an empty mask has no features.
    """

    recipe = trainers.AdaMSSSegTrainer_ShortSchedule.recipe.with_schedule(
        n_epochs=2, n_iterations=20, n_val_iterations=2, learning_rates=(1e-9, 1e-9, 1e-9)
    )


class AdaMSSSurvTrainer_ShortSchedule_Anchored_NoRadiomics(
    trainers.AdaMSSSurvTrainer_ShortSchedule_Anchored_NoRadiomics
):
    recipe = trainers.AdaMSSSurvTrainer_ShortSchedule_Anchored_NoRadiomics.recipe.with_schedule(
        n_epochs=2, n_iterations=5
    )
