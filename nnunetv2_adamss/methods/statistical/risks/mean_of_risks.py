"""The mean of a deep method's risk and that of a ridge Cox model on the covariates."""

import numpy as np

from nnunetv2_adamss.methods.method import DEEP_RISK
from nnunetv2_adamss.methods.statistical.risk_model import TrainingInputs
from nnunetv2_adamss.survival.covariates.linear_risk import LinearRisk


def fit(training: TrainingInputs) -> LinearRisk:
    """Fit the mean of both risks (choice: each in standard deviations of the training cases)."""
    cox = LinearRisk.cox(training.covariates, training.event, training.time)
    deviation = float(np.std(cox.risk_score(training.covariates)))
    deep_deviation = float(training.extra[DEEP_RISK].std(ddof=0))
    return LinearRisk(
        (*cox.names, DEEP_RISK),
        (
            *(weight / (2 * deviation) if deviation else 0.0 for weight in cox.weights),
            1 / (2 * deep_deviation) if deep_deviation else 0.0,
        ),
    )


read = LinearRisk.from_dict
