"""Let a survival network start from a Cox model on its covariates, and on what Stage I's network sees of the image."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nnunetv2_adamss.networks.adamss import AdaMSSSurvival
from nnunetv2_adamss.survival.covariates.cox_anchor import Anchor
from nnunetv2_adamss.survival.cox.baseline_hazard import sampling_weights
from nnunetv2_adamss.survival.discrete_time.intervals import interval_labels
from nnunetv2_adamss.trainers.other_network import other_network
from nnunetv2_adamss.trainers.survival_fold import SurvivalFoldTrainer

# Batches hold as many events as censored cases.
HALF_EVENTS = np.array([True, False])


def start_from_anchor(trainer: SurvivalFoldTrainer) -> bool:
    """Fit the Cox model to the fold's training cases, and put it into the new network's head.

    deviation: the paper's head starts from random weights alone.

    Returns:
        Whether there is anything to fit it to: a covariate, or the image.
    """
    fold, head = trainer.survival_fold, _network_of(trainer).survival_head
    if head.anchor is None:
        trainer.print_to_log_file("No covariate is left for a Cox model to start from.")
        return False
    case_ids = list(fold.training_cases)
    time, event = trainer.setup.table.time_and_event(case_ids)
    by_case = trainer.load_cases().covariates
    covariates = np.stack([by_case[case_id] for case_id in case_ids]).astype(np.float64)
    with_image = fold.config.anchor == "image"
    features = pooled_features(trainer, case_ids) if with_image else np.zeros((len(case_ids), 0))
    anchor = Anchor.fit(features, covariates, event, time, fold.config.seed)
    labels = interval_labels(fold.edges, event, time)
    logits = anchor.start_logits(labels, sampling_weights(event, HALF_EVENTS))
    head.start_anchor(anchor.weights.tolist(), logits.tolist())
    said = f"The training starts from a Cox model on {covariates.shape[1]} covariates"
    if with_image:
        said += f" and {anchor.n_components} principal components of {features.shape[1]} image features"
    trainer.print_to_log_file(f"{said} (ridge {anchor.ridge:g})." if anchor.ridge else f"{said}.")
    return True


def pooled_features(trainer: SurvivalFoldTrainer, case_ids: Sequence[str]) -> NDArray[np.float64]:
    """Pooled image features of each case's region, ``(n_cases, n_features)``."""
    network = _network_of(trainer)
    own: dict[str, list[float]] = {}
    with torch.no_grad(), trainer.autocast():
        for batch in trainer.whole_regions(case_ids, "Image features of training cases"):
            image, valid, _ = trainer.inputs(batch)
            own[batch["case_id"][0]] = network.pooled_features(image, valid)[0].double().tolist()
    found = trainer.ranks.gather(own)
    return np.array([found[case_id] for case_id in case_ids])


def _network_of(trainer: SurvivalFoldTrainer) -> AdaMSSSurvival:
    network = trainer.bare_network
    if not isinstance(network, AdaMSSSurvival):
        raise other_network(network, AdaMSSSurvival)
    return network
