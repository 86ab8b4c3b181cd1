"""The settings of a phantom cohort."""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from nnunetv2_adamss.common.kinds import Kind, faults_of_kind
from nnunetv2_adamss.datasets.phantom.phantom_grid import Grid
from nnunetv2_adamss.datasets.phantom.signals import SIGNALS

# HPV-positive patients live longer.
_SIGNS: Mapping[str, int] = {name: -1 if name == "hpv" else 1 for name in SIGNALS}


def log_hazard_ratios(effect: float) -> dict[str, float]:
    """Return the log hazard ratio of one SD of each signal; equal sizes make the signals comparable."""
    return {name: effect * sign for name, sign in _SIGNS.items()}


# With all seven signals on, the oracle's C-index is near 0.8.
DEFAULT_LOG_HAZARD_RATIO: Mapping[str, float] = log_hazard_ratios(0.5)
# The neck with its nodes needs this much room; the smallest nodes, 10 mm, need voxels of half that.
MIN_FIELD_OF_VIEW_MM = 150.0
MAX_SPACING_MM = 5.0
MAX_CENTRES = 26
# An image is made of several arrays of this many numbers, of 1 GB each.
MAX_VOXELS = 512**3
MAX_CASES = 100_000


def _several(kind: type) -> Callable[[Any], bool]:
    """Kind of collections of values of one kind; text is none."""
    return lambda values: (
        isinstance(values, Collection)
        and not isinstance(values, str)
        and all(isinstance(value, kind) and not isinstance(value, bool) for value in values)
    )


def _is_yes_or_no(value: Any) -> bool:
    return value is True or value is False or (isinstance(value, Integral) and value in (0, 1))


# Numbers of NumPy count as well.
_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("n_training", "n_test", "n_centres", "seed", "dataset_id"), Integral),
    **dict.fromkeys(("weibull_shape", "weibull_scale_days", "censoring_fraction", "missing_fraction"), Real),
    **dict.fromkeys(("scanner_shift", "separate_grids"), _is_yes_or_no),
    "shape": _several(Integral),
    "spacing_mm": _several(Real),
    "signals_on": _several(str),
    "log_hazard_ratio": lambda ratios: isinstance(ratios, Mapping) and _several(Real)(ratios.values()),
    "dataset_name": str,
}


@dataclass(frozen=True)
class PhantomCohortConfig:
    """The settings of a phantom cohort.

    Args:
        n_training: cases with a row in ``survival.csv``, 1 to 100,000.
        n_test: held-out cases, drawn as a cohort of their own, at most 100,000.
        shape: voxels, (z, y, x), at most as many as 512 a side.
        spacing_mm: (z, y, x), at most 5 mm; shape times spacing is at least 150 mm on each axis.
        signals_on: the signals that enter the hazard; empty for a null cohort. The images and tables show all
            seven whether on or off.
        log_hazard_ratio: of one SD, for each signal that is on.
        weibull_shape: above 1, the baseline hazard rises with time.
        weibull_scale_days: time at which 63% of average patients had their event.
        censoring_fraction: in [0, 1).
        missing_fraction: chance of a missing ``age`` and, separately, ``hpv``; in [0, 1).
        n_centres: 1 to 26; patients are spread evenly.
        scanner_shift: whether centres differ in PET gain and blur and in CT offset.
        separate_grids: whether to write CT and PET on their own grids too, in ``native``.
        seed: at least 0.
        dataset_id: 1 to 999.
        dataset_name: letters, digits, ``_`` and ``-``.

    Raises:
        ValueError: with every fault, if a value is of another type or outside its range.

    Examples:
        >>> import nnunetv2_adamss as adamss
        >>> adamss.PhantomCohortConfig(n_training=40, signals_on=("volume", "age")).folder_name
        'Dataset990_Phantom'
    """

    n_training: int = 100
    n_test: int = 50
    shape: tuple[int, int, int] = (48, 48, 48)
    spacing_mm: tuple[float, float, float] = (3.5, 3.5, 3.5)
    signals_on: tuple[str, ...] = SIGNALS
    log_hazard_ratio: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_LOG_HAZARD_RATIO))
    weibull_shape: float = 1.3
    weibull_scale_days: float = 1500.0
    censoring_fraction: float = 0.6
    missing_fraction: float = 0.1
    n_centres: int = 3
    scanner_shift: bool = False
    separate_grids: bool = False
    seed: int = 0
    dataset_id: int = 990
    dataset_name: str = "Phantom"

    def __post_init__(self) -> None:
        faults = faults_of_kind(vars(self), _KINDS) or self._faults()
        if faults:
            raise ValueError("The phantom cannot be made: " + "; ".join(faults) + ".")

    @property
    def folder_name(self) -> str:
        """nnU-Net's name of the data set, such as ``Dataset990_Phantom``."""
        return f"Dataset{self.dataset_id:03d}_{self.dataset_name}"

    @property
    def grid(self) -> Grid:
        """The grid that CT, PET and labels share."""
        return Grid(self.shape, self.spacing_mm)

    def _faults(self) -> list[str]:
        return [*self._cohort_faults(), *self._signal_faults(), *self._image_faults(), *self._name_faults()]

    def _cohort_faults(self) -> list[str]:
        censoring, missing = self.censoring_fraction, self.missing_fraction
        checks = {
            f"n_training is {self.n_training}, expected at least 1": self.n_training >= 1,
            f"n_training (-n) is {self.n_training}, expected at most {MAX_CASES}": self.n_training
            <= MAX_CASES,
            f"n_test is {self.n_test}, expected at least 0": self.n_test >= 0,
            f"n_test is {self.n_test}, expected at most {MAX_CASES}": self.n_test <= MAX_CASES,
            f"censoring_fraction is {censoring}, expected [0, 1)": 0 <= censoring < 1,
            f"missing_fraction is {missing}, expected [0, 1)": 0 <= missing < 1,
            f"n_centres is {self.n_centres}, expected 1 to {MAX_CENTRES}": 1 <= self.n_centres <= MAX_CENTRES,
            f"seed is {self.seed}, expected at least 0": self.seed >= 0,
        }
        return [message for message, holds in checks.items() if not holds]

    def _signal_faults(self) -> list[str]:
        faults = [
            f"there is no signal '{name}', only {', '.join(SIGNALS)}"
            for name in {**dict.fromkeys(self.signals_on), **self.log_hazard_ratio}
            if name not in SIGNALS
        ]
        without = [name for name in self.signals_on if name in SIGNALS and name not in self.log_hazard_ratio]
        faults += [f"signal '{name}' is on but has no log_hazard_ratio" for name in without]
        faults += [
            f"the log_hazard_ratio (--effect) of '{name}' is {ratio}, expected a finite number"
            for name, ratio in self.log_hazard_ratio.items()
            if not math.isfinite(ratio)
        ]
        for name in ("weibull_shape", "weibull_scale_days"):
            if not getattr(self, name) > 0:
                faults.append(f"{name} is {getattr(self, name)}, expected > 0")
        return faults

    def _image_faults(self) -> list[str]:
        if len(self.shape) != 3 or len(self.spacing_mm) != 3:
            return [f"shape {self.shape} and spacing_mm {self.spacing_mm} need three numbers each (z, y, x)"]
        faults = []
        if not all(0 < side <= MAX_SPACING_MM for side in self.spacing_mm):
            faults.append(f"spacing_mm is {self.spacing_mm}, expected above 0 and at most {MAX_SPACING_MM}")
        if min(self.shape) > 0 and math.prod(self.shape) > MAX_VOXELS:
            faults.append(
                f"shape (--shape) is {self.shape}, which are {math.prod(self.shape)} voxels, expected at most "
                f"{MAX_VOXELS}, as many as 512 a side"
            )
        fov_mm = [n * side for n, side in zip(self.shape, self.spacing_mm, strict=True)]
        if min(fov_mm) < MIN_FIELD_OF_VIEW_MM:
            faults.append(
                f"the field of view (shape times spacing) is {fov_mm} mm, expected at least "
                f"{MIN_FIELD_OF_VIEW_MM} on each axis"
            )
        return faults

    def _name_faults(self) -> list[str]:
        faults = []
        if not 1 <= self.dataset_id <= 999:
            faults.append(f"dataset_id is {self.dataset_id}, expected 1 to 999")
        if not re.fullmatch(r"[A-Za-z0-9_-]+", self.dataset_name):
            faults.append(f"dataset_name is '{self.dataset_name}', expected letters, digits, '_' and '-'")
        return faults
