"""Settings that all runs into one output folder share."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from nnunetv2_adamss.common.files import create_json, write_json
from nnunetv2_adamss.common.json_object import read_known_object
from nnunetv2_adamss.common.kinds import Kind, is_count, list_of, optional
from nnunetv2_adamss.survival.cohort.outcomes_path import default_outcomes
from nnunetv2_adamss.survival.config import SurvivalConfig

SETTINGS_FILE = "settings.json"
# Masks of training cases as good as those of validation cases, so that no method learns from sharper ones.
_DEFAULT_MASKS: Mapping[str, Any] = MappingProxyType({"mask_source": "out_of_fold"})
_KINDS: dict[str, Kind] = {
    "dataset": str,
    "configuration": str,
    "plans": str,
    "folds": list_of(is_count),
    "seeds": list_of(is_count),
    "short_schedule": bool,
    "epochs": optional(is_count),
    "masks": dict,
    "survival_csv": optional(str),
    "test": optional(str),
}


@dataclass(frozen=True)
class BenchmarkSettings:
    """All settings that the results depend on, except which methods are compared.

    Args:
        dataset: nnU-Net's name.
        configuration: such as ``3d_fullres``.
        plans: identifier.
        folds: their numbers.
        seeds: of the survival trainings and fits; the first one's results lie in ``nnUNet_results``.
        short_schedule: whether the ``_ShortSchedule`` trainers are used.
        epochs: of the survival trainings; default the trainers'.
        masks: of ``SurvivalConfig``, what the user set about tumour masks.
        survival_csv: the outcomes; default ``survival.csv`` of the data set.
        test: name of the data set with test patients.
    """

    dataset: str
    configuration: str
    plans: str = "nnUNetPlans"
    folds: tuple[int, ...] = (0, 1, 2, 3, 4)
    seeds: tuple[int, ...] = (2024,)
    short_schedule: bool = False
    epochs: int | None = None
    masks: Mapping[str, Any] = field(default_factory=dict)
    survival_csv: str | None = None
    test: str | None = None

    @property
    def outcomes(self) -> Path:
        """The file with the table of outcomes: the given one, or that of the raw data set."""
        if self.survival_csv is not None:
            return Path(self.survival_csv)
        return default_outcomes(self.dataset)

    @property
    def mask_source(self) -> str:
        """Mask source, as in ``SurvivalConfig``."""
        return str(self.masks.get("mask_source", SurvivalConfig.mask_source))

    @property
    def uses_reference_masks(self) -> bool:
        """True if tumours are located by reference masks, also in test patients."""
        return self.mask_source == "groundtruth"

    @property
    def predicts_masks(self) -> bool:
        """True if tumours are located by Stage I."""
        return self.mask_source in ("predicted", "out_of_fold")

    @property
    def mirroring(self) -> bool:
        """True if Stage I predicts masks with test-time mirroring."""
        return bool(self.masks.get("mirroring", SurvivalConfig.mirroring))

    @property
    def seg_checkpoint(self) -> str:
        """Name of the Stage-I checkpoint that masks and survival trainings start from."""
        return str(self.masks.get("seg_checkpoint", SurvivalConfig.seg_checkpoint))

    @property
    def masks_dir(self) -> Path | None:
        """Folder of the user's own masks."""
        return Path(self.masks["masks_dir"]) if "masks_dir" in self.masks else None

    def config(self, seg_trainer: str, seed: int) -> SurvivalConfig:
        """Return the settings of a training or fit.

        Args:
            seg_trainer: its Stage I.
            seed: of the training.

        Raises:
            ValueError: for a value that is not allowed.
        """
        return SurvivalConfig(**self.masks, seg_trainer=seg_trainer, epochs=self.epochs, seed=seed)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain data for JSON."""
        values = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def check(self, folder: Path) -> None:
        """Raise ValueError if the benchmark in the folder cannot be extended to this one.

        Folds, further seeds and a test set may be added; all else would change the results that are there.
        """
        file = folder / SETTINGS_FILE
        if not file.is_file():
            return
        found = _read(file)
        changed = [
            f"{name} was {json.dumps(found[name])}, and now is {json.dumps(value)}"
            for name, value in self.to_dict().items()
            if found[name] != value and not _is_grown(name, found[name], value)
        ]
        if changed:
            raise ValueError(
                f"{folder} holds a benchmark with other settings: {'; '.join(changed)}. Folds, further seeds and a "
                "test set can be added, but nothing else can change: use the same to continue, or choose a new folder "
                "with -o."
            )

    def save(self, folder: Path) -> None:
        """Write to the folder, unless it has other settings; if two runs begin at the same time, one is refused."""
        file = folder / SETTINGS_FILE
        if create_json(file, self.to_dict()):
            return
        self.check(folder)
        if _read(file) != self.to_dict():  # it was extended
            write_json(file, self.to_dict())


def masks_of_benchmark(given: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Add the default mask settings if the user names no source: those of the benchmark, else out of fold.

    Args:
        given: by the user, settings of ``SurvivalConfig``.
        folder: of the benchmark, new or begun.

    Raises:
        ValueError: if the folder holds other settings than those of a benchmark.
    """
    if "mask_source" in given:
        return dict(given)
    file = folder / SETTINGS_FILE
    begun: Mapping[str, Any] = _read(file)["masks"] if file.is_file() else _DEFAULT_MASKS
    return {**given, **{name: begun[name] for name in ("mask_source", "masks_dir") if name in begun}}


def _is_grown(name: str, before: Any, now: Any) -> bool:
    """Return True if a changed setting leaves all present results valid."""
    if name == "test":
        return before is None
    if name not in ("folds", "seeds") or not isinstance(before, list) or not before:
        return False
    # The first seed's trainings are those in nnUNet_results.
    return set(before) <= set(now) and (name == "folds" or before[0] == now[0])


def _read(file: Path) -> dict[str, Any]:
    settings = read_known_object(file, _KINDS, ())
    if not settings.keys() >= {one.name for one in fields(BenchmarkSettings)}:
        raise ValueError(f"{file} is not of a benchmark; choose another folder with -o.")
    return settings
