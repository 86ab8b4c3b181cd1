"""nnU-Net's ``summary.json``: Dice of the masks of a validation or of a folder."""

from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.json_object import read_object
from nnunetv2_adamss.common.kinds import by_name, holding, is_count, list_of

_HAS_FILE = holding(prediction_file=str)
_HAS_METRICS = holding(metrics=by_name(holding(Dice=(int, float), TP=is_count, FP=is_count, FN=is_count)))


def read_validated_files(summary: Path) -> list[Path]:
    """Read the paths of the masks that were validated.

    Raises:
        ValueError: naming the file, if it does not list them.
        FileNotFoundError: if it is not there.
    """
    cases = read_object(summary, metric_per_case=list_of(_HAS_FILE))["metric_per_case"]
    return [Path(case["prediction_file"]) for case in cases]


def read_label_metrics(summary: Path) -> dict[str, list[dict[str, Any]]]:
    """Read ``Dice`` (NaN if a label neither occurs nor is predicted), ``TP``, ``FP`` and ``FN`` of each case, by label.

    Raises:
        ValueError: naming the file, if it does not hold them.
        FileNotFoundError: if it is not there.
    """
    cases = read_object(summary, metric_per_case=list_of(_HAS_METRICS))["metric_per_case"]
    labels = [list(case["metrics"]) for case in cases]
    if not labels or any(set(of_case) != set(labels[0]) for of_case in labels):
        raise ValueError(
            f"{summary} is damaged: there are no cases, or not all of them have the same labels."
        )
    return {label: [case["metrics"][label] for case in cases] for label in labels[0]}
