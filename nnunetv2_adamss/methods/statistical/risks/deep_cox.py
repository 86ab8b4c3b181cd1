"""A ridge Cox model on the covariates and a deep method's risk."""

import pandas as pd

from nnunetv2_adamss.methods.method import DEEP_RISK
from nnunetv2_adamss.methods.statistical.risk_model import TrainingInputs
from nnunetv2_adamss.survival.covariates.linear_risk import LinearRisk


def fit(training: TrainingInputs) -> LinearRisk:
    """Fit weights of the covariates and of the deep risk in the network's own unit."""
    # The ridge penalises all columns alike, so they are standardised, but new patients have the network's unit.
    deviation = float(training.extra[DEEP_RISK].std(ddof=0)) or 1.0
    inputs = pd.concat([training.covariates, training.extra / deviation], axis=1)
    cox = LinearRisk.cox(inputs, training.event, training.time)
    units = [deviation if name == DEEP_RISK else 1.0 for name in cox.names]
    return LinearRisk(cox.names, tuple(w / unit for w, unit in zip(cox.weights, units, strict=True)))


read = LinearRisk.from_dict
