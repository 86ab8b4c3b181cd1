"""Head and neck cancer patients of real life, with lifelines' Cox model of their age."""

from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from numpy.typing import NDArray


def age_and_death(
    real_data: Path,
) -> tuple[CoxPHFitter, NDArray[np.float64], NDArray[np.bool_], NDArray[np.float64]]:
    """The model, log hazards relative to the mean age, event and time in months, so that some are equal."""
    table = pd.read_csv(real_data / "tables" / "hn_petct_vallieres2017_clinical.csv")
    table = pd.DataFrame(
        {"age": table["Age"], "event": table["event_Death"], "time": np.ceil(table["time_Death"] / 30)}
    )
    fit = CoxPHFitter().fit(table, "time", "event")
    log_hazard = (table["age"] - table["age"].mean()) * fit.params_["age"]
    return fit, log_hazard.to_numpy(), table["event"].to_numpy() == 1, table["time"].to_numpy(dtype=float)
