"""Variants of the Stage-II trainer. Their names stand in users' checkpoints and never change."""

from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateUse
from nnunetv2_adamss.trainers.adamss_survival import AdaMSSSurvTrainer


class AdaMSSSurvTrainer_ShortSchedule(AdaMSSSurvTrainer):
    """Minutes instead of hours, for trying things out on small data: 400 iterations, from 5e-4."""

    n_epochs = 10
    n_iterations = 40
    learning_rates = (5e-4, 1e-4, 1e-5)


class AdaMSSSurvTrainer_NoRadiomics(AdaMSSSurvTrainer):
    """Without radiomics features (Table I of the paper)."""

    covariate_use = CovariateUse(radiomics=False)


class AdaMSSSurvTrainer_NoClinical(AdaMSSSurvTrainer):
    """Without clinical indicators (Table I of the paper)."""

    covariate_use = CovariateUse(clinical=False)


class AdaMSSSurvTrainer_ImageOnly(AdaMSSSurvTrainer):
    """Without radiomics features and clinical indicators (Table I of the paper)."""

    covariate_use = CovariateUse(radiomics=False, clinical=False)


class AdaMSSSurvTrainer_ShortSchedule_NoRadiomics(AdaMSSSurvTrainer_ShortSchedule):
    """The short schedule without radiomics features."""

    covariate_use = CovariateUse(radiomics=False)


class AdaMSSSurvTrainer_ShortSchedule_NoClinical(AdaMSSSurvTrainer_ShortSchedule):
    """The short schedule without clinical indicators."""

    covariate_use = CovariateUse(clinical=False)


class AdaMSSSurvTrainer_ShortSchedule_ImageOnly(AdaMSSSurvTrainer_ShortSchedule):
    """The short schedule without radiomics features and clinical indicators."""

    covariate_use = CovariateUse(radiomics=False, clinical=False)
