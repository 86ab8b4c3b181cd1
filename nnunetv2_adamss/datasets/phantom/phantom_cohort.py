"""The tables of a phantom cohort: signals, true risk, outcomes, clinical columns. No images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from nnunetv2_adamss.datasets.phantom.outcomes import (
    censoring_scale,
    linear_predictor,
    observe,
    oracle_c_index,
    weibull_times,
)
from nnunetv2_adamss.datasets.phantom.phantom_config import PhantomCohortConfig
from nnunetv2_adamss.datasets.phantom.signals import CLINICAL_SIGNALS, SIGNALS, draw_signals

TRAINING, TEST = "training", "test"
# Four digits would look like nnU-Net's channel suffix, which follows after an underscore; so none here.
_CASE_PREFIX = {TRAINING: "phantom", TEST: "phantomtest"}
_SPLIT_KEY = {TRAINING: 0, TEST: 1}
_OUTCOME_STREAM, _IMAGE_STREAM = 0, 1
# Follow-up spreads over a range: some patients are lost early, and none is followed for ever.
_CENSORING_RANGE = (0.15, 1.0)


def case_seed(config: PhantomCohortConfig, split: str, index: int, stream: int) -> np.random.SeedSequence:
    """The source of randomness of one case: the same however many cases there are beside it."""
    return np.random.SeedSequence([config.seed, _SPLIT_KEY[split], index, stream])


def image_seed(config: PhantomCohortConfig, split: str, index: int) -> np.random.SeedSequence:
    """The source of randomness of one case's images."""
    return case_seed(config, split, index, _IMAGE_STREAM)


@dataclass(frozen=True)
class PhantomCohort:
    """One split of a cohort.

    Args:
        split: ``"training"`` or ``"test"``.
        table: one row a patient: ``case_id``, the seven signals, ``centre`` (0, 1, ...), ``true_risk``,
            ``uncensored_time``, ``event``, ``time`` (days), ``age_missing``, ``hpv_missing``.
    """

    split: str
    table: pd.DataFrame

    @property
    def oracle_c_index(self) -> float:
        """C-index of the true risk; NaN when no pair of patients can be compared."""
        columns = (self.table[name].to_numpy() for name in ("true_risk", "event", "time"))
        return oracle_c_index(*columns)

    def survival_table(self) -> pd.DataFrame:
        """Return the data that a study would have: ``case_id, time, event, age, hpv, centre``, with values missing."""
        table = self.table[["case_id", "time", "event", *CLINICAL_SIGNALS, "centre"]].copy()
        for name in CLINICAL_SIGNALS:
            table[name] = table[name].mask(self.table[f"{name}_missing"])
        # A nullable integer, so that a column with gaps still reads 0 and 1.
        table["hpv"] = table["hpv"].astype("Int64")
        table["centre"] = [centre_name(centre) for centre in table["centre"]]
        return table


def centre_name(centre: int) -> str:
    """``A``, ``B``, ... for 0, 1, ..."""
    return chr(ord("A") + centre)


def draw_cohorts(config: PhantomCohortConfig) -> list[PhantomCohort]:
    """Draw the training cohort and, if ``n_test`` is above 0, the test cohort.

    Both share one hazard and one censoring distribution, whose scale is set on the training cohort. No images are made.

    Examples:
        >>> import nnunetv2_adamss as adamss
        >>> training, test = adamss.draw_cohorts(adamss.PhantomCohortConfig(n_training=40, n_test=20))
        >>> len(training.table), len(test.table)
        (40, 20)
        >>> list(training.survival_table())
        ['case_id', 'time', 'event', 'age', 'hpv', 'centre']
    """
    training = _draw_uncensored(config, TRAINING, config.n_training)
    event_time, uniform = (training[name].to_numpy() for name in ("uncensored_time", "censoring_uniform"))
    scale = censoring_scale(event_time, uniform, config.censoring_fraction)
    cohorts = [PhantomCohort(TRAINING, _with_follow_up(training, scale))]
    if config.n_test:
        test = _draw_uncensored(config, TEST, config.n_test)
        cohorts.append(PhantomCohort(TEST, _with_follow_up(test, scale)))
    return cohorts


def _draw_uncensored(config: PhantomCohortConfig, split: str, n_patients: int) -> pd.DataFrame:
    rng = np.random.default_rng(np.random.SeedSequence([config.seed, _SPLIT_KEY[split]]))
    table = draw_signals(n_patients, rng)[list(SIGNALS)]
    table.insert(0, "case_id", [f"{_CASE_PREFIX[split]}{i:03d}" for i in range(n_patients)])
    table["centre"] = rng.permutation(np.arange(n_patients) % config.n_centres)
    table["true_risk"] = linear_predictor(table[list(SIGNALS)], config.log_hazard_ratio, config.signals_on)
    # One row of four uniform numbers a case, in (0, 1].
    seeds = (case_seed(config, split, i, _OUTCOME_STREAM) for i in range(n_patients))
    uniform = 1.0 - np.array([np.random.default_rng(seed).random(4) for seed in seeds])
    table["uncensored_time"] = weibull_times(
        table["true_risk"].to_numpy(), uniform[:, 0], config.weibull_shape, config.weibull_scale_days
    )
    shortest, longest = _CENSORING_RANGE
    table["censoring_uniform"] = shortest + (longest - shortest) * uniform[:, 1]
    table["age_missing"] = uniform[:, 2] <= config.missing_fraction
    table["hpv_missing"] = uniform[:, 3] <= config.missing_fraction
    return table


def _with_follow_up(table: pd.DataFrame, scale: float) -> pd.DataFrame:
    event, time = observe(table["uncensored_time"].to_numpy(), scale * table["censoring_uniform"].to_numpy())
    # Tables hold tenths of a day; rounding up keeps every time above 0.
    return table.drop(columns="censoring_uniform").assign(event=event, time=np.ceil(time * 10) / 10)
