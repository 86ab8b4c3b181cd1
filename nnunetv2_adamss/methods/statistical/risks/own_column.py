"""A number that is a risk by itself, such as the tumour's volume: nothing is fitted."""

from nnunetv2_adamss.methods.statistical.risk_model import TrainingInputs
from nnunetv2_adamss.survival.covariates.linear_risk import LinearRisk


def fit(training: TrainingInputs) -> LinearRisk:
    """The method's own column, unchanged."""
    (name,) = training.extra
    return LinearRisk((str(name),), (1.0,))


read = LinearRisk.from_dict
