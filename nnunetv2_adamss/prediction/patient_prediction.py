"""Predictions of all folds for one patient; plain data, kept until all patients are done."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from nnunetv2_adamss.common.kinds import (
    Kind,
    by_name,
    check_kinds,
    is_number,
    list_of,
    number_within,
    optional,
)


@dataclass(frozen=True)
class FoldPrediction:
    """Prediction of one fold.

    Args:
        survival_prob: conditional probability of surviving each of the fold's intervals, in [0, 1].
        tumour_found: False if the mask is empty, so that the region lies around the likeliest point.
        share_of_mask: fraction of the tumour in the region, in [0, 1].
        remarks: on unusual covariates.
    """

    survival_prob: list[float]
    tumour_found: bool
    share_of_mask: float
    remarks: list[str]


@dataclass(frozen=True)
class PatientPrediction:
    """Predictions of all folds.

    Args:
        case_id: nnU-Net's identifier.
        folds: by number, as text.
        clinical: values that the model uses, as given; None if unknown.
        features: the user's own that the model uses; None if unknown.
        radiomics: features that each fold uses, of its own mask, by fold and name.
        seconds: duration of each step.
    """

    case_id: str
    folds: Mapping[str, FoldPrediction]
    clinical: Mapping[str, str | None] = field(default_factory=dict)
    features: Mapping[str, float | None] = field(default_factory=dict)
    radiomics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, fit for JSON: a feature that is not a finite number, which the model imputes, is None."""
        radiomics = {
            number: {name: value if math.isfinite(value) else None for name, value in features.items()}
            for number, features in self.radiomics.items()
        }
        return asdict(self) | {"radiomics": radiomics}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PatientPrediction":
        """Read a prediction from plain data.

        Raises:
            ValueError: if it is not that of a patient, or a probability is not in [0, 1].
        """
        check_kinds(values, _KINDS)
        for fold in values["folds"].values():
            check_kinds(fold, _OF_FOLD)
        folds = {
            number: FoldPrediction(**{name: fold[name] for name in _OF_FOLD})
            for number, fold in values["folds"].items()
        }
        radiomics = {
            number: {name: math.nan if value is None else value for name, value in features.items()}
            for number, features in values["radiomics"].items()
        }
        return cls(**{**{name: values[name] for name in _KINDS}, "folds": folds, "radiomics": radiomics})


_KINDS: dict[str, Kind] = {
    "case_id": str,
    "folds": by_name(dict),
    "clinical": by_name(optional(str)),
    "features": by_name(optional(is_number)),
    "radiomics": by_name(by_name(optional((int, float)))),  # NaN too, which version 0.1 wrote
    "seconds": by_name(is_number),
}
_OF_FOLD: dict[str, Kind] = {
    "survival_prob": list_of(number_within(0, 1)),
    "tumour_found": bool,
    "share_of_mask": is_number,
    "remarks": list_of(str),
}
