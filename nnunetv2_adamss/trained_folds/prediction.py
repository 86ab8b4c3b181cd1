"""Predictions of a survival model, and the file that they are written to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.tables.csv_text import csv_text
from nnunetv2_adamss.metrics.risk import risk_score_from_time
from nnunetv2_adamss.survival.discrete_time.curve import predicted_time, survival_curve

SURVIVAL_AT = "survival_at_"


@dataclass(frozen=True, eq=False)
class RiskPrediction:
    """Predictions of a model that ranks patients, without curves.

    Args:
        case_ids: ``n_cases``.
        risk_score: higher for an earlier event, ``(n_cases,)``.
    """

    case_ids: Sequence[str]
    risk_score: NDArray[np.float64]

    def write(self, file: Path, columns: Sequence[str] = ("case_id", "risk_score")) -> None:
        """Write names and risks as CSV.

        Args:
            file: to write.
            columns: titles of the two.

        Raises:
            ValueError: naming cases, if a risk is not finite.
        """
        _check_finite(self)
        table = pd.DataFrame(dict(zip(columns, (self.case_ids, self.risk_score), strict=True)))
        write_atomically(file, csv_text(table, index=False))


@dataclass(frozen=True, eq=False)
class SurvivalPrediction:
    """Predictions of one model for some cases.

    Args:
        case_ids: ``n_cases``.
        survival_prob: conditional probability of surviving each interval, ``(n_cases, n_intervals)`` in [0, 1].
        interval_edges: ``(n_intervals + 1,)``, in the table's time unit.
    """

    case_ids: Sequence[str]
    survival_prob: NDArray[np.float64]
    interval_edges: NDArray[np.float64]

    @classmethod
    def from_logits(
        cls, logits: Mapping[str, Sequence[float]], interval_edges: NDArray[np.float64]
    ) -> "SurvivalPrediction":
        """Prediction from the network's logits by ``case_id``, ``(n_intervals,)`` each."""
        return cls(list(logits), expit(np.array(list(logits.values()), dtype=np.float64)), interval_edges)

    @property
    def survival_curve(self) -> NDArray[np.float64]:
        """S(t) at the right edge of each interval, ``(n_cases, n_intervals)``."""
        return survival_curve(self.survival_prob)

    @property
    def predicted_time(self) -> NDArray[np.float64]:
        """Predicted time by Eq. (2), ``(n_cases,)``, higher for longer survival."""
        return predicted_time(self.survival_curve, self.interval_edges)

    @property
    def risk_score(self) -> NDArray[np.float64]:
        """Risk score, higher for an earlier event, ``(n_cases,)``."""
        return risk_score_from_time(self.predicted_time)

    def write(self, file: Path) -> None:
        """Write ``case_id, risk_score, predicted_time`` and ``survival_at_T`` for every edge T, as CSV.

        Raises:
            ValueError: naming cases, if a risk is not finite.
        """
        _check_finite(self)
        table = pd.DataFrame(
            {"case_id": self.case_ids, "risk_score": self.risk_score, "predicted_time": self.predicted_time}
        )
        table[survival_columns(self.interval_edges[1:])] = self.survival_curve
        write_atomically(file, csv_text(table, index=False))


def not_finite(prediction: RiskPrediction | SurvivalPrediction) -> list[str]:
    """Cases without a finite risk."""
    return list(compress(prediction.case_ids, ~np.isfinite(prediction.risk_score)))


def _check_finite(prediction: RiskPrediction | SurvivalPrediction) -> None:
    if faulty := not_finite(prediction):
        raise ValueError(
            f"{len(faulty)} of {len(prediction.case_ids)} risks are not finite numbers, so nothing is written: "
            f"{listed(faulty)}."
        )


def survival_columns(times: NDArray[np.float64]) -> list[str]:
    """Names of the columns of S(t): times have six digits, or all digits if two are equal in six."""
    shown = [f"{time:g}" for time in times]
    if len(set(shown)) < len(shown):
        shown = [repr(float(time)) for time in times]
    return [SURVIVAL_AT + time for time in shown]
