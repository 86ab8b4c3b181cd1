"""A user's own trainer folder: Stage II in seconds."""

from dataclasses import replace

from nnunetv2_adamss.survival.covariates.covariate_use import CovariateUse
from nnunetv2_adamss.trainers import AdaMSSSurvTrainer, MDSNProxyTrainer

_SHORT = AdaMSSSurvTrainer.recipe.with_schedule(n_epochs=3, n_iterations=2)


class AdaMSSSurvTrainer_TwoIterations(AdaMSSSurvTrainer):
    # Real features take longer than the training.
    recipe = replace(_SHORT, covariate_use=CovariateUse(radiomics=False))


class AdaMSSSurvTrainer_TwoIterations_WithRadiomics(AdaMSSSurvTrainer):
    recipe = _SHORT


class AdaMSSSurvTrainer_TwoIterations_NoRadiomics(AdaMSSSurvTrainer_TwoIterations):
    pass


class MDSNProxyTrainer_TwoIterations(MDSNProxyTrainer):
    # Two cases a process: unsynchronised batch normalisation of one voxel needs two.
    recipe = MDSNProxyTrainer.recipe.with_schedule(n_epochs=3, n_iterations=2, batch_size=4)
