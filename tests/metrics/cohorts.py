"""Cohorts to evaluate on: random ones with many ties, and real tables with a Cox model's predictions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from lifelines import CoxPHFitter
from numpy.typing import NDArray
from sksurv.util import Surv

from nnunetv2_adamss.metrics.resampling import ResampledCohort

TIMES = np.array([180.0, 365.0, 730.0, 1095.0])


@dataclass(frozen=True)
class Predicted:
    """A cohort with predictions; ``survival_prob`` at ``TIMES``, ``(n_cases, 4)``."""

    risk_score: NDArray[np.float64]
    event: NDArray[np.bool_]
    time: NDArray[np.float64]
    survival_prob: NDArray[np.float64]

    @property
    def cohort(self) -> ResampledCohort:
        """Without resamples."""
        return ResampledCohort(self.event, self.time, n_resamples=0)

    def oracle_outcomes(self, later_days: float = 0.0) -> NDArray[np.void]:
        """For scikit-survival, with the censored moved by so much."""
        return Surv.from_arrays(self.event, self.time + later_days * ~self.event)


def support2(real_data: Path) -> Predicted:
    """1,500 critically ill patients, whose days of death and censoring often coincide."""
    table = pd.read_csv(real_data / "tables" / "support_parsed.csv.gz").sample(1500, random_state=0)
    columns = ["time", "dead", "meanbp", "crea", "scoma", "aps", "sps"]
    return _by_cox(table[columns].rename(columns={"dead": "event"}))


def head_and_neck(real_data: Path) -> Predicted:
    """300 patients of four hospitals."""
    table = pd.read_csv(real_data / "tables" / "hn_petct_vallieres2017_clinical.csv")
    table = table.rename(columns={"time_Death": "time", "event_Death": "event"})
    numbers = table[["time", "event", "Age", "T_stage", "N_stage"]].apply(pd.to_numeric, errors="coerce")
    return _by_cox(numbers.fillna(2).query("time > 0"))


def _by_cox(table: pd.DataFrame) -> Predicted:
    model = CoxPHFitter(penalizer=0.01).fit(table, "time", "event")
    return Predicted(
        model.predict_log_partial_hazard(table).to_numpy(),
        table["event"].to_numpy(bool),
        table["time"].to_numpy(np.float64),
        model.predict_survival_function(table, times=TIMES).T.to_numpy(),
    )


REAL = {"SUPPORT2": support2, "head and neck": head_and_neck}


@st.composite
def tied_cohorts(
    draw: st.DrawFn,
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64], NDArray[np.int64]]:
    """Risk, event, time and fold on so few values that equal ones are common."""
    n_cases = draw(st.integers(1, 25))
    risk_score, time, fold = (
        np.array(draw(st.lists(st.integers(1, high), min_size=n_cases, max_size=n_cases)))
        for high in (8, 8, 3)
    )
    event = np.array(draw(st.lists(st.booleans(), min_size=n_cases, max_size=n_cases)))
    return risk_score.astype(np.float64), event, time.astype(np.float64), fold


def random_cohort(
    n_cases: int, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """A risk that knows something of the time; about a third of the times are censored."""
    rng = np.random.default_rng(seed)
    death, censoring = rng.exponential(1000, n_cases), rng.exponential(2000, n_cases)
    return -np.log(death) + rng.normal(0, 1.5, n_cases), death <= censoring, np.minimum(death, censoring)
