"""What a training knows of its cases: outcomes as targets, covariates as inputs, and nothing of them in print."""

from types import SimpleNamespace

import numpy as np
import torch

from nnunetv2_adamss.survival.training_data.case_data import CaseData, SurvivalTargets


def test_each_case_gets_its_own_outcome_as_targets() -> None:
    outcomes = {"a": (25.0, True), "b": (31.0, False), "c": (5.0, True)}
    setup = SimpleNamespace(
        fold=SimpleNamespace(
            all_cases=["c", "a", "b"],
            edges=np.array([0.0, 10.0, 20.0, 40.0]),
            covariates=SimpleNamespace(apply=lambda tables, cases: {c: np.array([ord(c)]) for c in cases}),
        ),
        table=SimpleNamespace(
            time_and_event=lambda cases: tuple(
                np.array(x) for x in zip(*map(outcomes.get, cases), strict=True)
            )
        ),
        covariates=None,
    )
    cases = CaseData.of_setup(setup, None, {})  # type: ignore[arg-type]
    found = {name: [values.tolist() for values in targets] for name, targets in cases.targets.items()}
    # Survived, failed, event, time; the censored one has passed the middle of the last interval.
    assert found == {
        "a": [[1, 1, 0], [0, 0, 1], 1, 25],
        "b": [[1, 1, 1], [0, 0, 0], 0, 31],
        "c": [[0, 0, 0], [1, 0, 0], 1, 5],
    }
    assert all(values.dtype == torch.float32 for values in cases.targets["a"])
    sample = cases.sample("b", torch.zeros(1), torch.ones(1))
    assert sample["covariates"].tolist() == [ord("b")]
    assert sample["targets"] is cases.targets["b"]


def test_what_is_known_of_patients_is_not_printed() -> None:
    targets = SurvivalTargets(torch.ones(2), torch.zeros(2), torch.tensor(1.0), torch.tensor(777.0))
    cases = CaseData(None, {}, {"case": np.array([-1234.5])}, {"case": targets})  # type: ignore[arg-type]
    assert "1234" not in repr(cases)
    assert "777" not in repr(cases)
