"""Write what the ICARE package of its authors answers, which the tests of our own compare with.

The package cannot be installed beside the tests: it needs scikit-learn before 1.8. In an environment of its own:

    pip install "icare==0.1.0" "scikit-learn<1.8"
    python tests/methods/statistical/icare_0_1_0/make.py

It writes ``testoutput.txt`` into the working directory, which can be removed.
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from icare.survival import BaggedIcareSurvival, IcareSurvival
from sksurv.datasets import load_breast_cancer

ANSWERS = Path(__file__).with_name("answers.json")
N_TRAINING = 130
SEED = 7
# rho and cmin; None keeps all features.
SINGLE = [(None, None), (0.6, None), (None, 0.58), (0.7, 0.55)]
# rho, cmin and max_features; each estimator has one of these.
BAGGED = [(0.66, 0.53, 0.2), (0.87, 0.55, 0.1), (0.71, 0.57, 0.4)]


def main() -> None:
    features, outcome = load_breast_cancer()
    features = features.select_dtypes("number")
    # The package shuffles the names, which only an array of objects bears.
    features.columns = features.columns.astype(object)
    sets = [
        {"rho": rho, "cmin": cmin, "max_features": share, "sign_method": "harrell"}
        for rho, cmin, share in BAGGED
    ]
    bagged = BaggedIcareSurvival(
        n_estimators=100, parameters_sets=sets, aggregation_method="median", random_state=SEED
    )
    bagged.fit(features[:N_TRAINING], outcome[:N_TRAINING])
    answers = {
        "versions": {name: version(name) for name in ("icare", "scikit-learn", "scikit-survival")},
        "n_training": N_TRAINING,
        "single": [single(rho, cmin, features, outcome) for rho, cmin in SINGLE],
        "bagged": {"settings": BAGGED, "risk_score": rounded(bagged.predict(features))},
    }
    ANSWERS.write_text(json.dumps(answers) + "\n", encoding="utf-8")


def single(
    rho: float | None, cmin: float | None, features: pd.DataFrame, outcome: np.ndarray
) -> dict[str, Any]:
    model = IcareSurvival(rho=rho, cmin=cmin, sign_method="harrell", random_state=SEED)
    model.fit(features[:N_TRAINING], outcome[:N_TRAINING])
    signs = dict(zip(model.used_features_.tolist(), model.weights_.tolist(), strict=True))
    return {"rho": rho, "cmin": cmin, "signs": signs, "risk_score": rounded(model.predict(features))}


def rounded(risk_score: np.ndarray) -> list[float]:
    return [float(f"{risk:.7g}") for risk in risk_score]


if __name__ == "__main__":
    main()
