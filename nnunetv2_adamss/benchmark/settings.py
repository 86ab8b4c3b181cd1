"""What all runs into one output folder share."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from time import sleep
from typing import Any

from nnunetv2_adamss.survival.cohort.table import SURVIVAL_CSV
from nnunetv2_adamss.survival.files import read_json
from nnunetv2_adamss.survival.nnunet_data.dataset import RAW, dataset_folder

SETTINGS_FILE = "settings.json"
_SECONDS_TO_WRITE = 1.0


@dataclass(frozen=True)
class BenchmarkSettings:
    """What decides on the results, apart from which methods are compared.

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
        """The table of outcomes."""
        if self.survival_csv is not None:
            return Path(self.survival_csv)
        return dataset_folder(RAW, self.dataset) / SURVIVAL_CSV

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        values = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def check(self, folder: Path) -> None:
        """Raise ValueError if a benchmark with other settings lies in the folder, saying which."""
        file = folder / SETTINGS_FILE
        if not file.is_file():
            return
        found = _read(file)
        changed = [
            f"{name} was {json.dumps(found.get(name))}, and now is {json.dumps(value)}"
            for name, value in self.to_dict().items()
            if found.get(name) != value
        ]
        if changed:
            raise ValueError(
                f"{folder} holds a benchmark with other settings: {'; '.join(changed)}. Use the same to go on, or "
                "choose a new folder with -o."
            )

    def save(self, folder: Path) -> None:
        """Write to the folder, unless other settings are there; of two that begin at once, one is refused."""
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with (folder / SETTINGS_FILE).open("x", encoding="utf-8") as stream:
                stream.write(json.dumps(self.to_dict(), indent=2))
        except FileExistsError:
            self.check(folder)


def _read(file: Path) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8")
    if not text:  # another process has just made it
        sleep(_SECONDS_TO_WRITE)
        text = file.read_text(encoding="utf-8")
    if not text:
        raise ValueError(f"{file} is empty, since a process was killed at the wrong moment; remove it.")
    settings = read_json(file)
    if not isinstance(settings, dict) or not settings.keys() >= {
        field.name for field in fields(BenchmarkSettings)
    }:
        raise ValueError(f"{file} is not of a benchmark; choose another folder with -o.")
    return settings
