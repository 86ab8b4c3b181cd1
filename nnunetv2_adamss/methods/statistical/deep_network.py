"""Which trained network a statistical method goes on with, so that new patients are predicted by the same one."""

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
        sha256: of each fold's checkpoint, by ``fold F``, as predictions name them.
    """

    trainer: str
    checkpoint: str
    sha256: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {"trainer": self.trainer, "checkpoint": self.checkpoint, "sha256": dict(self.sha256)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DeepNetwork":
        """From plain data.

        Raises:
            ValueError: if a value is of another kind.
        """
        check_kinds(values, _KINDS)
        return cls(**{name: values[name] for name in _KINDS})
