"""What the risk models of the methods are made of."""

import numpy as np
import pandas as pd

from nnunetv2_adamss.methods.method import DEEP_RISK
from nnunetv2_adamss.methods.statistical.risk_model import TrainingInputs, risk_of
from nnunetv2_adamss.methods.statistical.risks import deep_cox, mean_of_risks
from nnunetv2_adamss.methods.table import STATISTICAL
from nnunetv2_adamss.survival.covariates.cox_fit import fit_cox


def training_inputs(unit: float = 1.0) -> TrainingInputs:
    """Eighty cases, whose hazard follows one covariate and the deep risk, which comes in some unit."""
    rng = np.random.default_rng(0)
    covariates = pd.DataFrame(rng.normal(size=(80, 2)), columns=["age", "texture"])
    deep = rng.normal(size=80)
    time = rng.exponential(np.exp(-covariates["age"] - deep))
    return TrainingInputs(
        covariates=covariates,
        features=pd.DataFrame(index=covariates.index),
        extra=pd.DataFrame({DEEP_RISK: unit * (deep - 4)}),
        event=rng.random(80) < 0.7,
        time=time,
        seed=0,
    )


def test_deepmtlr_cox_is_the_mean_of_both_risks_in_standard_deviations() -> None:
    training = training_inputs()
    inputs = pd.concat([training.covariates, training.extra], axis=1)
    found = mean_of_risks.read(mean_of_risks.fit(training).to_dict()).risk_score(inputs)
    weights = fit_cox(training.covariates, training.event, training.time, ridge=0.1).weights
    cox, deep = training.covariates.to_numpy() @ weights.to_numpy(), training.extra[DEEP_RISK]
    np.testing.assert_allclose(found, (cox / np.std(cox) + deep / np.std(deep)) / 2, rtol=1e-6)


def test_the_score_of_deepmts_weighs_the_same_in_any_unit_of_time() -> None:
    fit, read = deep_cox.fit, deep_cox.read
    days, years = training_inputs(365.25), training_inputs()
    weights = [dict(zip(*fit(one).to_dict().values(), strict=True)) for one in (days, years)]
    np.testing.assert_allclose(weights[0][DEEP_RISK] * 365.25, weights[1][DEEP_RISK], rtol=1e-6)
    np.testing.assert_allclose(weights[0]["age"], weights[1]["age"], rtol=1e-6)
    # As the ridge Cox model of three standardised columns has it.
    deep = years.extra / years.extra.std(ddof=0)
    expected = fit_cox(
        pd.concat([years.covariates, deep], axis=1), years.event, years.time, ridge=0.1
    ).weights
    model = read(fit(years).to_dict())
    found = model.risk_score(pd.concat([years.covariates, years.extra], axis=1))
    by_hand = years.covariates.to_numpy() @ expected[:2].to_numpy() + deep[DEEP_RISK] * expected[DEEP_RISK]
    np.testing.assert_allclose(found, by_hand, rtol=1e-6)


def test_every_statistical_method_can_be_fitted() -> None:
    for method in STATISTICAL.values():
        risk = risk_of(method.statistical_fit)
        assert callable(risk.fit)
        assert callable(risk.read)
