"""A user's own trainer folder: Stage II in seconds."""

from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateUse
from nnunetv2_adamss.trainers.adamss_survival import AdaMSSSurvTrainer
from nnunetv2_adamss.trainers.comparison import MDSNProxyTrainer


class AdaMSSSurvTrainer_TwoIterations(AdaMSSSurvTrainer):
    # Real features take longer than the training.
    covariate_use = CovariateUse(radiomics=False)

    def __init__(self, plans, configuration, fold, dataset_json, device=None):  # type: ignore[no-untyped-def]
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.num_epochs = 3
        self.num_iterations_per_epoch = 2


class AdaMSSSurvTrainer_TwoIterations_WithRadiomics(AdaMSSSurvTrainer_TwoIterations):
    covariate_use = CovariateUse()


class AdaMSSSurvTrainer_TwoIterations_NoRadiomics(AdaMSSSurvTrainer_TwoIterations):
    pass


class MDSNProxyTrainer_TwoIterations(MDSNProxyTrainer):
    n_epochs = 3
    n_iterations = 2
    # Two a process: unsynchronised batch normalisation of one voxel needs two cases.
    own_batch_size = 4
