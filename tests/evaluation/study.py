"""A study of 120 patients in two centres: outcomes, and the predictions of a model that knows something."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

DESCRIPTION = '{"time_unit": "days", "endpoint": "death", "group_column": "centre"}'
TIMES = (200, 400, 800, 1600, 3000)


@dataclass(frozen=True)
class Study:
    """Files of the study, and the predictions as a table."""

    folder: Path
    predictions: pd.DataFrame

    @property
    def survival_csv(self) -> Path:
        return self.folder / "survival.csv"

    def write(self, name: str = "predictions.csv", **columns: Any) -> Path:
        """Write the predictions with these columns replaced or added; None takes one away."""
        table = self.predictions.assign(
            **{name: value for name, value in columns.items() if value is not None}
        )
        table = table.drop(columns=[name for name, value in columns.items() if value is None])
        file = self.folder / name
        table.to_csv(file, index=False)
        return file

    def write_folds(self, stem: str = "fold", **columns: Any) -> list[Path]:
        """Write them as three files of 40."""
        table = self.predictions.assign(**columns)
        files = [self.folder / f"{stem}_{fold}.csv" for fold in range(3)]
        for fold, file in enumerate(files):
            table[fold::3].to_csv(file, index=False)
        return files


def make_study(folder: Path) -> Study:
    """Write the outcomes; case 119 has none, and 118 is not predicted."""
    rng = np.random.default_rng(0)
    case_ids = [f"case_{number:03d}" for number in range(120)]
    rate = np.exp(rng.normal(-7, 0.8, 120))
    death, censoring = rng.exponential(1 / rate), rng.uniform(300, 3000, 120)
    outcomes = pd.DataFrame(
        {
            "case_id": case_ids,
            "time": np.minimum(death, censoring).round(1) + 0.1,
            "event": (death <= censoring).astype(int),
            "age": np.where(rng.random(120) < 0.1, np.nan, rng.integers(40, 80, 120)),
            "centre": np.repeat(["A", "B"], 60),
        }
    ).astype({"time": object, "event": object})
    outcomes.loc[119, ["time", "event"]] = ""
    outcomes.to_csv(folder / "survival.csv", index=False)
    (folder / "survival.json").write_text(DESCRIPTION)
    predictions = pd.DataFrame({"case_id": case_ids, "risk_score": np.log(rate) + rng.normal(0, 0.3, 120)})
    for time in TIMES:
        predictions[f"survival_at_{time}"] = np.exp(-rate * time)
    return Study(folder, predictions.drop(index=118))
