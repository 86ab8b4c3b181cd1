"""What the folds say of one patient; plain data, kept until all patients are done."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class FoldPrediction:
    """What one fold says.

    Args:
        survival_prob: conditional probability of surviving each of the fold's intervals, in [0, 1].
        tumour_found: False if the fold looked around the likeliest point, its mask being empty.
        share_of_mask: share of the tumour in the region that is looked at, in [0, 1].
        remarks: what is unusual in the covariates.
    """

    survival_prob: list[float]
    tumour_found: bool
    share_of_mask: float
    remarks: list[str]


@dataclass(frozen=True)
class PatientPrediction:
    """What all folds say.

    Args:
        case_id: nnU-Net's identifier.
        folds: by number, as text.
        clinical: values that the model uses, as they were given; None where not known.
        features: the user's own that the model uses; None where not known.
        radiomics: features that each fold uses, of its own mask, by fold and name.
        seconds: that each step took.
    """

    case_id: str
    folds: Mapping[str, FoldPrediction]
    clinical: Mapping[str, str | None] = field(default_factory=dict)
    features: Mapping[str, float | None] = field(default_factory=dict)
    radiomics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "PatientPrediction":
        """From plain data."""
        folds = {number: FoldPrediction(**fold) for number, fold in values["folds"].items()}
        return cls(**{**values, "folds": folds})
