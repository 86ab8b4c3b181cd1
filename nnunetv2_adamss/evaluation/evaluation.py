"""All results of an evaluation as one object; ``metrics.json`` has the same names."""

from dataclasses import asdict, dataclass
from typing import Any

from nnunetv2_adamss.metrics.auc import HorizonAuc
from nnunetv2_adamss.metrics.brier import BrierScore
from nnunetv2_adamss.metrics.calibration_at_horizon import Calibration
from nnunetv2_adamss.metrics.d_calibration import DCalibration
from nnunetv2_adamss.metrics.decision_curve import DecisionCurve
from nnunetv2_adamss.metrics.dice import LabelDice
from nnunetv2_adamss.metrics.estimate import Estimate, PairEstimate
from nnunetv2_adamss.metrics.paired_comparison import Comparison
from nnunetv2_adamss.metrics.risk_groups import RiskGroups
from nnunetv2_adamss.metrics.uno import UnoC


@dataclass(frozen=True)
class CohortFacts:
    """Facts about the evaluated patients.

    Attributes:
        endpoint: name of the event, if the study gives it.
        time_unit: of every time in the results.
        n_patients: with prediction and outcome.
        n_events: of them.
        censored_fraction: of them, in [0, 1].
        median_follow_up: by reverse Kaplan-Meier.
        last_time: of them.
        follow_up_limit: after this time less than a tenth would be under observation, and nothing is estimated.
        without_outcome: cases that are predicted but have no outcome; left out.
        without_prediction: cases that have an outcome but are not predicted; left out.
        missing_values: of the evaluated patients, for each clinical column of the survival table.
    """

    endpoint: str | None
    time_unit: str
    n_patients: int
    n_events: int
    censored_fraction: float
    median_follow_up: Estimate
    last_time: float
    follow_up_limit: float
    without_outcome: list[str]
    without_prediction: list[str]
    missing_values: dict[str, int]


@dataclass(frozen=True)
class PartC:
    """Harrell's C of some of the patients.

    Attributes:
        name: of the fold or group.
        n_patients: in the part.
        n_events: of them.
        c_index: within folds.
    """

    name: str
    n_patients: int
    n_events: int
    c_index: PairEstimate


@dataclass(frozen=True)
class NamedComparison:
    """The predictions against others, on the patients that have both.

    Attributes:
        name: of the others.
        n_patients: that have both.
        not_compared: evaluated patients that the others do not predict.
        result: Harrell's C of the predictions, of the others, and their difference.
        p_value_holm: corrected for the number of comparisons; None without a P value.
    """

    name: str
    n_patients: int
    not_compared: list[str]
    result: Comparison
    p_value_holm: float | None


@dataclass(frozen=True)
class Evaluation:
    """All results of an evaluation.

    Attributes:
        cohort: the evaluated patients.
        harrell_c: within folds, over all.
        uno_c: the same, weighted for censoring.
        folds: of a cross-validation, one a file; empty for a single file.
        group_column: the table's, such as centre.
        groups: one a value of the group column.
        auc: one a horizon.
        brier: one a horizon.
        integrated_brier: from ``start`` to ``end``.
        calibration: one a horizon.
        d_calibration: of whole curves.
        decision_curves: one a horizon.
        risk_groups: low against high.
        comparisons: with other predictions and with baselines.
        segmentation: one a label; empty if masks were not compared.
        notes: on the results.
    """

    cohort: CohortFacts
    harrell_c: PairEstimate
    uno_c: UnoC
    folds: list[PartC]
    group_column: str | None
    groups: list[PartC]
    auc: list[HorizonAuc]
    brier: list[BrierScore]
    integrated_brier: BrierScore
    calibration: list[Calibration]
    d_calibration: DCalibration
    decision_curves: list[DecisionCurve]
    risk_groups: RiskGroups
    comparisons: list[NamedComparison]
    segmentation: list[LabelDice]
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings, lists, dictionaries and None, fit for JSON."""
        return asdict(self)
