"""Identity of written objects: who made them, which structures they hold, and their identifiers."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import generate_uid

from nnunetv2_adamss.dicom.write_reference import CtSeries

PACKAGE = "nnunetv2-adamss"
ALGORITHM = "AdaMSS"
_MAX_NAME = 64  # characters of DICOM's long strings


@dataclass(frozen=True)
class Structure:
    """A structure in the masks.

    Args:
        name: of a label or region.
        values: of its voxels.
    """

    name: str
    values: tuple[int, ...]

    def mask_in(self, labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """The voxels of this structure."""
        return np.isin(labels, self.values)


def structures_of(labels: Mapping[str, Any]) -> list[Structure]:
    """Return the structures among the labels of a ``dataset.json``: all but background and what is ignored.

    Raises:
        ValueError: if a name is too long for DICOM.
    """
    values = {
        name: tuple(value) if isinstance(value, list | tuple) else (value,) for name, value in labels.items()
    }
    named = [Structure(name, value) for name, value in values.items() if name != "ignore" and value != (0,)]
    for structure in named:
        if len(structure.name) > _MAX_NAME:
            raise ValueError(
                f"DICOM allows names of {_MAX_NAME} characters, but the label '{structure.name}' has "
                f"{len(structure.name)}; shorten it in dataset.json."
            )
    return named


def package_version() -> str:
    """The version of this package."""
    return version(PACKAGE)


@dataclass(frozen=True)
class Identifiers:
    """Identifiers of a written object.

    The same labels, names and slices, written by the same version, get the same ones, so that an archive to which they
    are sent twice keeps one object.

    Args:
        instance: of the object.
        series: of the series, of which it is the only object.
    """

    instance: str
    series: str

    @classmethod
    def of(
        cls, kind: str, series: CtSeries, labels: NDArray[np.uint8], structures: Sequence[Structure]
    ) -> "Identifiers":
        """Derive the identifiers of an object of some kind from its content."""
        content = [
            kind,
            package_version(),
            str(structures),
            *(str(one.header.SOPInstanceUID) for one in series.slices),
            hashlib.sha256(labels.tobytes()).hexdigest(),
        ]
        return cls(generate_uid(entropy_srcs=content), generate_uid(entropy_srcs=["series", *content]))
