"""The sign of risk scores, with three patients made by hand."""

import numpy as np
from lifelines.utils import concordance_index

from nnunetv2_adamss.metrics.risk import risk_score_from_time, time_order_from_risk

# Patients in the order in which they die, and a model that knows it.
TIME = np.array([100.0, 200.0, 300.0])
PREDICTED_TIME = np.array([90.0, 210.0, 290.0])


def test_the_patient_who_dies_first_has_the_highest_risk() -> None:
    first, second, third = risk_score_from_time(PREDICTED_TIME)
    assert first > second > third


def test_lifelines_ranks_the_three_patients_right() -> None:
    risk_score = risk_score_from_time(PREDICTED_TIME)
    assert concordance_index(TIME, time_order_from_risk(risk_score)) == 1
    assert concordance_index(TIME, risk_score) == 0


def test_the_order_of_times_comes_back_from_the_risk() -> None:
    assert time_order_from_risk(risk_score_from_time(PREDICTED_TIME)).tolist() == PREDICTED_TIME.tolist()
