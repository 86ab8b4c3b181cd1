"""A user's own trainer folder: the learning strategies in seconds."""

from nnunetv2_adamss.trainers import AdaMSSSurvTrainer_MultiTask, AdaMSSSurvTrainer_SurvivalOnly


class AdaMSSSurvTrainer_MultiTask_TwoIterations(AdaMSSSurvTrainer_MultiTask):
    recipe = AdaMSSSurvTrainer_MultiTask.recipe.with_schedule(n_epochs=2, n_iterations=2)


class AdaMSSSurvTrainer_SurvivalOnly_TwoIterations(AdaMSSSurvTrainer_SurvivalOnly):
    recipe = AdaMSSSurvTrainer_SurvivalOnly.recipe.with_schedule(n_epochs=2, n_iterations=2)
