"""Features are z-scored on the training cases; what is missing gets their mean."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler

from nnunetv2_adamss.survival.covariates.scaling import Scaling

TABLE = pd.DataFrame(
    {"volume": [1.0, 3.0, 5.0, np.nan], "suv": [2.0, 2.0, 8.0, np.inf]}, index=["a", "b", "c", "d"]
)
TRAINING = TABLE.loc[["a", "b", "c"]]


def test_inputs_are_the_z_scores_of_scikit_learn() -> None:
    scaled = Scaling.fit(TRAINING).apply(TRAINING)
    np.testing.assert_allclose(scaled, StandardScaler().fit_transform(TRAINING))


def test_missing_and_infinite_values_become_the_training_mean() -> None:
    assert Scaling.fit(TRAINING).apply(TABLE.loc[["d"]]).to_numpy().tolist() == [[0, 0]]


def test_a_column_that_teaches_nothing_is_left_out() -> None:
    # 0.1 three times has a standard deviation of 1e-17 by the textbook formula.
    useless = TRAINING.assign(constant=0.1, empty=np.nan, infinite=np.inf)
    useless["rounded"] = [1.0, np.nextafter(1.0, 2.0), 1.0]
    useless["in_single_precision"] = np.array([0.3, 0.3, 0.30000001], np.float32)
    assert Scaling.fit(useless).names == ("volume", "suv")


def test_numbers_without_a_standard_deviation_are_named_before_anything_is_trained() -> None:
    with pytest.raises(ValueError, match=r"too large to compute with: huge\. Correct"):
        Scaling.fit(TRAINING.assign(huge=[1e200, 2e200, -3e200]))


def test_some_columns_keep_their_own_numbers() -> None:
    scaling = Scaling.fit(TRAINING)
    assert scaling.only(["suv"]) == Scaling.fit(TRAINING[["suv"]])
    assert Scaling.from_dict(scaling.to_dict()) == scaling
