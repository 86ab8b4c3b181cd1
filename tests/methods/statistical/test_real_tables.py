"""Lasso-CoxPH and ICARE on real patients: nearly as good as lifelines' ridge Cox, and blind to shuffled outcomes."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from measurements.statistical_methods import (
    NO_LIMIT,
    RIDGE,
    head_and_neck,
    out_of_third_risks,
    shuffled_c,
    thirds,
)
from nnunetv2_adamss.methods.statistical.risks import icare
from nnunetv2_adamss.methods.statistical.risks.icare import fit_icare
from nnunetv2_adamss.metrics.concordance import cross_validated_c
from nnunetv2_adamss.metrics.resampling import ResampledCohort


@pytest.fixture(autouse=True)
def few_estimators(monkeypatch: pytest.MonkeyPatch) -> None:
    """All columns are considered by every estimator, so fifty do nearly what a thousand do."""
    monkeypatch.setattr(icare, "fit_icare", partial(fit_icare, n_estimators=50))


@pytest.mark.slow
def test_left_out_patients_are_ranked_nearly_as_by_a_ridge_cox_model(real_data: Path) -> None:
    patients = head_and_neck(real_data / "tables")
    third = thirds(len(patients.time), seed=0)
    cohort = ResampledCohort(patients.event, patients.time, third, n_resamples=200)
    c_of = {
        name: cross_validated_c(risk, cohort).pooled
        for name, risk in out_of_third_risks(patients, third).items()
    }
    assert c_of[NO_LIMIT].value == pytest.approx(c_of[RIDGE].value, abs=0.03)
    # Three of nine columns, of about 37 events.
    assert 0.6 < c_of["lasso_cox"].value < c_of[NO_LIMIT].value
    assert c_of["icare"].value == pytest.approx(c_of[RIDGE].value, abs=0.08)
    for c_index in c_of.values():
        assert c_index.interval is not None and c_index.interval[0] > 0.55


@pytest.mark.parametrize("method", ["lasso_cox", "icare"])
def test_outcomes_of_other_patients_teach_nothing(method: str, real_data: Path) -> None:
    mean, standard_error = shuffled_c(method, head_and_neck(real_data / "tables"), n_seeds=10)
    assert 0 < standard_error < 0.03
    assert mean == pytest.approx(0.5, abs=3 * standard_error)


def test_thirds_are_drawn_by_the_seed_and_of_equal_size() -> None:
    assert np.bincount(thirds(301, 0)).tolist() == [101, 100, 100]
    assert (thirds(301, 0) == thirds(301, 0)).all() and (thirds(301, 0) != thirds(301, 1)).any()
