"""Let a survival network start from a Cox model on its covariates, and on what Stage I's network sees of the image."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from nnunetv2_adamss.networks.adamss import AdaMSSSurvival
from nnunetv2_adamss.survival.covariates.cox_anchor import Anchor
from nnunetv2_adamss.survival.discrete_time.intervals import interval_labels
from nnunetv2_adamss.trainers.other_network import other_network
from nnunetv2_adamss.trainers.survival_fold import SurvivalFoldTrainer


def start_from_anchor(trainer: SurvivalFoldTrainer) -> None:
    """Fit the Cox model to the fold's training cases, and put it into the new network's head.

    deviation: the paper's head starts from random weights alone.
    """
    fold = trainer.survival_fold
    case_ids = list(fold.training_cases)
    time, event = trainer.setup.table.time_and_event(case_ids)
    covariates = trainer.load_cases().covariates
    features = (
        pooled_features(trainer, case_ids) if fold.config.anchor == "image" else np.zeros((len(case_ids), 0))
    )
    anchor = Anchor.fit(
        features,
        np.stack([covariates[case_id] for case_id in case_ids]).astype(np.float64),
        event,
        time,
        fold.config.seed,
    )
    labels = interval_labels(fold.edges, event, time)
    logits = anchor.start_logits(labels, shares_of_batches(event))
    _network_of(trainer).survival_head.start_anchor(anchor.weights.tolist(), logits.tolist())
    of_image = f" and {anchor.n_components} principal components of {features.shape[1]} image features"
    trainer.print_to_log_file(
        f"The training starts from a Cox model on {len(fold.covariates.names)} covariates"
        f"{of_image if fold.config.anchor == 'image' else ''}.",
        also_print_to_console=True,
    )


def pooled_features(trainer: SurvivalFoldTrainer, case_ids: Sequence[str]) -> NDArray[np.float64]:
    """What the survival head sees of each case's region, ``(n_cases, n_features)``."""
    network = _network_of(trainer)
    own: dict[str, list[float]] = {}
    with torch.no_grad(), trainer.autocast():
        for batch in trainer.whole_regions(case_ids, "Image features of training cases"):
            image, valid, _ = trainer.inputs(batch)
            own[batch["case_id"][0]] = network.pooled_features(image, valid)[0].double().tolist()
    found = trainer.ranks.gather(own)
    return np.array([found[case_id] for case_id in case_ids])


def shares_of_batches(event: NDArray[np.bool_]) -> NDArray[np.float64]:
    """How often each case is in a batch, of which half are events, ``(n_cases,)``."""
    share = event.mean()
    return np.where(event, 0.5 / share, 0.5 / (1 - share) if share < 1 else 0.0)


def _network_of(trainer: SurvivalFoldTrainer) -> AdaMSSSurvival:
    network = trainer.bare_network
    if not isinstance(network, AdaMSSSurvival):
        raise other_network(network, AdaMSSSurvival)
    return network
