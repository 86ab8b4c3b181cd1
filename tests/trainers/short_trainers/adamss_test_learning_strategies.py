"""A user's own trainer folder: the learning strategies in seconds."""

from nnunetv2_adamss.trainers.learning_strategies import (
    AdaMSSSurvTrainer_MultiTask,
    AdaMSSSurvTrainer_SurvivalOnly,
)


class _TwoIterations:
    def __init__(self, plans, configuration, fold, dataset_json, device=None):  # type: ignore[no-untyped-def]
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs = 2
        self.num_iterations_per_epoch = 2


class AdaMSSSurvTrainer_MultiTask_TwoIterations(_TwoIterations, AdaMSSSurvTrainer_MultiTask):
    pass


class AdaMSSSurvTrainer_SurvivalOnly_TwoIterations(_TwoIterations, AdaMSSSurvTrainer_SurvivalOnly):
    pass
