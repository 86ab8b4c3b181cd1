"""What decides survival reaches the prediction, and what does not decide it does not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import default_collate

from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.networks import survival_head
from nnunetv2_adamss.networks.adamss import AdaMSSSurvival
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.discrete_time.intervals import interval_edges, interval_labels
from nnunetv2_adamss.survival.discrete_time.loss import discrete_survival_loss
from nnunetv2_adamss.survival.training_data.balanced_batches import BalancedBatches
from nnunetv2_adamss.survival.training_data.samples import WholeRegions
from nnunetv2_adamss.survival.tumour_region.region import Region
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction
from nnunetv2_adamss.trainers import AdaMSSSurvTrainer, AdaMSSSurvTrainer_ImageOnly
from tests.nnunet_project import NnunetProject, read_plans
from tests.survival_project import DATASET, dataset_json, survival_csv, write_stage_one

pytestmark = [
    pytest.mark.long,
    # nnU-Net's search for the Stage-I trainer imports all of its trainers.
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
]


def test_the_network_can_learn_a_dozen_cases_by_heart(
    survival_project: NnunetProject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    report: Callable[[str], None],
) -> None:
    """From nnU-Net's preprocessed data to the risk: 40 steps on all twelve whole images, without dropout."""
    trainer = trainer_of_all_cases(survival_project, tmp_path, monkeypatch)
    whole_image = Region((0, 0, 0), (32, 32, 32))
    cases = trainer.load_cases()
    samples = WholeRegions(
        replace(cases, regions=dict.fromkeys(cases.regions, whole_image)), trainer.total_stride
    )
    batch = default_collate([samples[case_id] for case_id in cases.regions])
    trainer.network.train()
    for step in range(40):
        trainer.optimizer.param_groups[0]["lr"] = 1e-3 if step < 28 else 1e-4
        trainer.train_step(batch)
    c_index = c_index_of(trainer, samples, list(cases.regions))
    report(f"C-index of a dozen cases learned by heart: {c_index:.3f}")
    assert c_index > 0.95


def trainer_of_all_cases(
    project: NnunetProject, results: Path, monkeypatch: pytest.MonkeyPatch
) -> AdaMSSSurvTrainer:
    project.use(monkeypatch)
    monkeypatch.setenv("nnUNet_results", str(results))
    monkeypatch.setattr(survival_head, "_DROPOUT", 0.0)
    write_stage_one(project)
    plans = read_plans(project, DATASET)
    trainer = AdaMSSSurvTrainer_ImageOnly(plans, "3d_fullres", 0, dataset_json(project), torch.device("cpu"))
    case_ids = pd.read_csv(survival_csv(project))["case_id"].tolist()
    # All train; a fold that also validates all of them would be fold "all".
    monkeypatch.setattr(trainer, "do_split", lambda: (case_ids, case_ids[1:]))
    SurvivalConfig(mask_source="groundtruth").save(Path(trainer.output_folder))
    trainer.initialize()
    return trainer


def c_index_of(trainer: AdaMSSSurvTrainer, samples: WholeRegions, case_ids: list[str]) -> float:
    trainer.network.eval()
    logits: dict[str, Any] = {}
    with torch.no_grad():
        for case_id in case_ids:
            logits |= trainer.validation_step(default_collate([samples[case_id]]))
    time, event = trainer.setup.table.time_and_event(case_ids)
    prediction = SurvivalPrediction.from_logits(logits, trainer.survival_fold.edges)
    c_index = harrell_c(prediction.risk_score, event, time).c_index
    assert c_index is not None
    return c_index


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
