"""A ridge Cox model on the covariates."""

from nnunetv2_adamss.methods.statistical.risk_model import TrainingInputs
from nnunetv2_adamss.survival.covariates.linear_risk import LinearRisk


def fit(training: TrainingInputs) -> LinearRisk:
    """Fit the weights of the covariates."""
    return LinearRisk.cox(training.covariates, training.event, training.time)


read = LinearRisk.from_dict
