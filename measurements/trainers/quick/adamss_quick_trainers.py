"""The trainers of ``gpu_check.py`` with next to nothing to do, found before this package's own of the same names."""

from torch.nn.modules.batchnorm import _BatchNorm

from nnunetv2_adamss import trainers


class AdaMSSSegTrainer_ShortSchedule(trainers.AdaMSSSegTrainer_ShortSchedule):
    """Stage I, whose batch normalisation has the statistics of the last batch.

    Means over so few batches are nearly those that it begins with, by which no mask can be predicted.
    """

    recipe = trainers.AdaMSSSegTrainer_ShortSchedule.recipe.with_schedule(
        n_epochs=3, n_iterations=2, n_val_iterations=1
    )

    def initialize(self):
        """Initialise Stage I, and set the momentum of its batch normalisation."""
        super().initialize()
        for module in self.network.modules():
            if isinstance(module, _BatchNorm):
                module.momentum = 1


class AdaMSSSurvTrainer_ShortSchedule_NoRadiomics(trainers.AdaMSSSurvTrainer_ShortSchedule_NoRadiomics):
    """A short Stage II."""

    recipe = trainers.AdaMSSSurvTrainer_ShortSchedule_NoRadiomics.recipe.with_schedule(
        n_epochs=3, n_iterations=2
    )


class AdaMSSSurvTrainer_ShortSchedule_Anchored_ImageOnly(
    trainers.AdaMSSSurvTrainer_ShortSchedule_Anchored_ImageOnly
):
    """A short anchored Stage II."""

    recipe = trainers.AdaMSSSurvTrainer_ShortSchedule_Anchored_ImageOnly.recipe.with_schedule(
        n_epochs=3, n_iterations=2
    )


class AdaMSSSurvTrainer_NoRadiomics(trainers.AdaMSSSurvTrainer_NoRadiomics):
    """Stage II in the place of the full schedule."""

    recipe = trainers.AdaMSSSurvTrainer_NoRadiomics.recipe.with_schedule(n_epochs=2, n_iterations=2)
