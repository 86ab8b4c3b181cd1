"""No two features that are kept say the same, and the order of the columns has no say."""

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from nnunetv2_adamss.survival.covariates.correlation_filter import drop_correlated
from tests.survival.covariates.cohorts import features


def related_features() -> pd.DataFrame:
    """Forty features in eight families."""
    noise = features(100, 40, seed=0)
    roots = features(100, 8, seed=1).to_numpy()
    return noise * 0.6 + np.repeat(roots, 5, axis=1)


def test_no_two_that_are_kept_are_correlated_and_every_one_dropped_is_with_one_kept() -> None:
    table = related_features()
    kept = drop_correlated(table)
    correlation = np.abs(spearmanr(table).statistic)
    places = [table.columns.get_loc(name) for name in kept]
    among = correlation[np.ix_(places, places)] - np.eye(len(kept))
    assert among.max() <= 0.7
    dropped = [i for i in range(40) if i not in places]
    assert dropped
    assert (correlation[np.ix_(dropped, places)].max(axis=1) > 0.7).all()


def test_of_a_chain_the_middle_one_stays() -> None:
    a, noise = np.arange(50.0), np.random.default_rng(0).normal(size=(2, 50)) * 12
    chain = pd.DataFrame({"first": a + noise[0], "middle": a, "last": -(a + noise[1])})
    chain["other"] = np.random.default_rng(1).normal(size=50)
    assert drop_correlated(chain) == ["middle", "other"]


def test_the_order_of_the_columns_has_no_say() -> None:
    table = related_features().assign(twin=lambda t: t["feature_007"])
    shuffled = table[list(np.random.default_rng(5).permutation(table.columns))]
    assert drop_correlated(shuffled) == drop_correlated(table)


def test_one_column_stays() -> None:
    assert drop_correlated(features(10, 1, seed=0)) == ["feature_000"]
