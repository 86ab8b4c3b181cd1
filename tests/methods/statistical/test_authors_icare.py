"""ICARE against the package of its authors, on the breast cancer data of scikit-survival.

``icare_0_1_0/make.py`` has made the answers, since the package cannot be installed here: it needs an old scikit-learn.
"""

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sksurv.datasets import load_breast_cancer

from nnunetv2_adamss.methods.statistical.binary_weighted import IcareSettings, Training, fit_binary_weighted
from nnunetv2_adamss.methods.statistical.risks.icare import fit_icare

ANSWERS = json.loads(Path(__file__).with_name("icare_0_1_0").joinpath("answers.json").read_text())
N_TRAINING = ANSWERS["n_training"]


def breast_cancer() -> tuple[pd.DataFrame, NDArray[np.bool_], NDArray[np.float64]]:
    """Features of all patients, and outcomes of those that the package was fitted to."""
    features, outcome = load_breast_cancer()
    event, time = outcome["e.tdm"][:N_TRAINING], outcome["t.tdm"][:N_TRAINING]
    return features.select_dtypes("number").astype(np.float64), event, time


@pytest.mark.parametrize("answer", ANSWERS["single"], ids=lambda one: f"rho {one['rho']}, cmin {one['cmin']}")
def test_one_estimator_has_the_signs_and_risks_of_the_authors_one(answer: dict[str, Any]) -> None:
    features, event, time = breast_cancer()
    # In the order that the package drew: it is that of an estimator which keeps all.
    features = features[list(ANSWERS["single"][0]["signs"])]
    rng = Mock(spec=np.random.Generator)
    rng.choice.return_value = np.arange(features.shape[1])
    rng.permutation.side_effect = lambda places: places
    settings = IcareSettings(rho=answer["rho"] or 1.0, cmin=answer["cmin"] or 0.5)
    model = fit_binary_weighted(Training(features[:N_TRAINING], event, time), rng, settings)
    assert dict(zip(model.names, model.signs, strict=True)) == answer["signs"]
    # The package computes in float32.
    np.testing.assert_allclose(model.risk_score(features), answer["risk_score"], atol=1e-5)


def test_many_estimators_rank_new_patients_as_the_authors_ones_do() -> None:
    features, event, time = breast_cancer()
    settings = [IcareSettings(*row) for row in ANSWERS["bagged"]["settings"]]
    model = fit_icare(features[:N_TRAINING], event, time, seed=0, n_estimators=100, settings=settings)
    found, expected = model.risk_score(features[N_TRAINING:]), ANSWERS["bagged"]["risk_score"][N_TRAINING:]
    assert spearmanr(found, expected).statistic > 0.97
    # Also on one scale: deviations of a single estimator's training cases.
    assert np.polyfit(expected, found, 1) == pytest.approx([1, 0], abs=0.1)
