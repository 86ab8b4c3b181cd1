"""Start of a survival network from a Cox model on its covariates and on image features of Stage I's encoder."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nnunetv2_adamss.networks.adamss import AdaMSSSurvival
from nnunetv2_adamss.survival.covariates.cox_anchor import Anchor
from nnunetv2_adamss.survival.cox.baseline_hazard import sampling_weights
from nnunetv2_adamss.survival.discrete_time.intervals import interval_labels
from nnunetv2_adamss.trainers.checked_network import checked_network
from nnunetv2_adamss.trainers.survival_fold import SurvivalFoldTrainer

# Batches hold as many events as censored cases.
HALF_EVENTS = np.array([True, False])


def start_from_anchor(trainer: SurvivalFoldTrainer) -> bool:
    """Fit the Cox model to the fold's training cases, and set it as the anchor of the new network.

    deviation: the paper's head starts from random weights alone.

    Returns:
        True if there is something to fit it to: a covariate, or the image.
    """
    fold, network = trainer.survival_fold, checked_network(trainer.bare_network, AdaMSSSurvival)
    of_network = network.anchor
    if of_network is None:
        trainer.print_to_log_file("No covariate is left for a Cox model to start from.")
        return False
    case_ids = list(fold.training_cases)
    time, event = trainer.setup.table.time_and_event(case_ids)
    by_case = trainer.load_cases().covariates
    covariates = np.stack([by_case[case_id] for case_id in case_ids]).astype(np.float64)
    features = np.zeros((len(case_ids), 0))
    if fold.config.anchor == "image":
        features = image_features(
            trainer, case_ids, lambda image, valid: of_network.means(network.encoder_features(image), valid)
        )
    anchor = Anchor.fit(features, covariates, event, time, fold.config.seed)
    labels = interval_labels(fold.edges, event, time)
    logits = anchor.start_logits(labels, sampling_weights(event, HALF_EVENTS))
    network.start_from(anchor.weights.tolist(), logits.tolist())
    said = f"The training starts from a Cox model on {covariates.shape[1]} covariates"
    if fold.config.anchor == "image":
        said += f" and {anchor.n_components} principal components of {features.shape[1]} image features"
    trainer.print_to_log_file(f"{said} (ridge {anchor.ridge:g})." if anchor.ridge else f"{said}.")
    return True


def image_features(
    trainer: SurvivalFoldTrainer, case_ids: Sequence[str], means: Callable[[Tensor, Tensor], list[Tensor]]
) -> NDArray[np.float64]:
    """Compute means of features over each case's region, ``(n_cases, n_features)``.

    Args:
        trainer: with the cases of the fold.
        case_ids: ``n_cases``.
        means: function of an image ``(1, n_modalities, *space)`` and of ``valid``, 0 in padding, ``(1, 1, *space)``.
    """
    own: dict[str, list[float]] = {}
    with torch.no_grad(), trainer.autocast():
        for batch in trainer.whole_regions(case_ids, "Image features of training cases"):
            image, valid, _ = trainer.inputs(batch)
            own[batch["case_id"][0]] = torch.cat(means(image, valid), dim=1)[0].double().tolist()
    by_case = trainer.ranks.gather(own)
    return np.array([by_case[case_id] for case_id in case_ids])
