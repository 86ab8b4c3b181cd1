"""A number that is used as the risk without a fit, such as the tumour's volume."""

from nnunetv2_adamss.methods.statistical.risk_model import TrainingInputs
from nnunetv2_adamss.survival.covariates.linear_risk import LinearRisk


def fit(training: TrainingInputs) -> LinearRisk:
    """Return the method's own column as the risk."""
    (name,) = training.extra
    return LinearRisk((str(name),), (1.0,))


read = LinearRisk.from_dict
