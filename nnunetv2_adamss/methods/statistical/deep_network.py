"""Identity of the trained network that a statistical method starts from, so that the same one predicts new patients."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nnunetv2_adamss.common.kinds import Kind, by_name, check_kinds

_KINDS: dict[str, Kind] = {"trainer": str, "checkpoint": str, "sha256": by_name(str)}


@dataclass(frozen=True)
class DeepNetwork:
    """Folds of a survival training whose risks a method was fitted on; plain data.

    Args:
        trainer: class name.
        checkpoint: file name of the weights in every fold.
        sha256: of each fold's checkpoint, by ``fold F``, as in predictions.
    """

    trainer: str
    checkpoint: str
    sha256: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"trainer": self.trainer, "checkpoint": self.checkpoint, "sha256": dict(self.sha256)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DeepNetwork":
        """Read it from plain data.

        Raises:
            ValueError: if a value has another type.
        """
        check_kinds(values, _KINDS)
        return cls(**{name: values[name] for name in _KINDS})
