"""What does not decide survival does not reach the prediction."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from nnunetv2_adamss.evaluation.concordance import harrell_c
from nnunetv2_adamss.networks.adamss import AdaMSSSurvival
from nnunetv2_adamss.survival.discrete_time.intervals import interval_edges, interval_labels
from nnunetv2_adamss.survival.discrete_time.loss import discrete_survival_loss
from nnunetv2_adamss.survival.prediction import SurvivalPrediction
from nnunetv2_adamss.survival.training_data.balanced_batches import BalancedBatches

pytestmark = pytest.mark.slow


def test_outcomes_of_the_wrong_patients_teach_nothing(report: Callable[[str], None]) -> None:
    """A small network of the same parts, outcomes shuffled over 20 seeds: the last epoch's C-index is 0.5."""
    c_indices = [c_index_on_shuffled_outcomes(seed) for seed in range(20)]
    mean, error = np.mean(c_indices), np.std(c_indices, ddof=1) / np.sqrt(len(c_indices))
    report(f"C-index on shuffled outcomes, 20 seeds: {mean:.3f}, standard error {error:.3f}")
    assert abs(mean - 0.5) <= 0.03


def c_index_on_shuffled_outcomes(seed: int, n_cases: int = 280, n_training: int = 80) -> float:
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    # Blobs whose brightness decides the time, then the times of other patients.
    brightness = rng.normal(size=n_cases)
    image = torch.from_numpy(rng.normal(size=(n_cases, 2, 8, 8, 8))).float()
    image[:, 1, 2:6, 2:6, 2:6] += torch.from_numpy(brightness).float().view(-1, 1, 1, 1)
    time = np.exp(brightness + 0.1 * rng.normal(size=n_cases))
    event = rng.random(n_cases) < 0.5
    order = rng.permutation(n_cases)
    time, event = time[order], event[order]

    training = np.arange(n_training)
    edges = interval_edges(event[training], time[training], 5)
    labels = interval_labels(edges, event, time)
    network = AdaMSSSurvival(2, 5, 0, [[1, 1, 1], [2, 2, 2]], [[3, 3, 3]] * 2)
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    batches = BalancedBatches(
        [str(i) for i in training if event[i]], [str(i) for i in training if not event[i]],
        batch_size=8, places=range(8), first_batch=0, seed=seed,
    )  # fmt: skip
    valid, covariates = torch.ones(n_cases, 1, 8, 8, 8), torch.zeros(n_cases, 0)
    for number in range(60):
        batch = [int(key.case_id) for key in batches.batch(number)]
        logits = network(image[batch], valid[batch], covariates[batch])
        survived, failed = (torch.from_numpy(label[batch]) for label in labels)
        optimizer.zero_grad()
        discrete_survival_loss(logits, survived, failed).backward()
        optimizer.step()
    network.eval()
    test = slice(n_training, None)
    with torch.no_grad():
        logits = network(image[test], valid[test], covariates[test])
    prediction = SurvivalPrediction.from_logits({str(i): row for i, row in enumerate(logits.tolist())}, edges)
    c_index = harrell_c(prediction.risk_score, event[test], time[test]).c_index
    assert c_index is not None
    return c_index
