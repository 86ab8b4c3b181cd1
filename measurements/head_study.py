"""Effect of each single part of the survival head: heads trained on frozen image features of phantoms.

Cohort, arms and outcomes are those of the simulation study. The image features are those of each whole region by the
Stage-I network, so a training takes seconds and every part can be tried on many seeds. Encoder and decoder are not
trained; the simulation study includes that.

    python measurements/head_study.py WORK_FOLDER -o FILE       WORK_FOLDER of simulation_study.py, or a new one

Trainings have 2,000 iterations at five times the published rates, whose sum is that of the published 10,000. Covariates
are the clinical columns and first-order statistics of the reference masks.
"""

import json
import os
from collections.abc import Callable
from concurrent.futures import as_completed
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from numpy.typing import NDArray
from phantom_project import PLANS, STAGE_ONE, Project, mean_and_interval
from simulation_study import ARMS, MOST_SEEDS, N_FOLDS, in_order, phantoms, study_parser, training_pool
from torch import Tensor, nn

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.networks.masked_mean import StageMeans, masked_mean
from nnunetv2_adamss.networks.stages import Stages
from nnunetv2_adamss.networks.survival_head import SurvivalHead
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_use import CovariateUse
from nnunetv2_adamss.survival.covariates.cox_anchor import Anchor
from nnunetv2_adamss.survival.cox.baseline_hazard import sampling_weights
from nnunetv2_adamss.survival.discrete_time.intervals import interval_labels
from nnunetv2_adamss.survival.discrete_time.loss import discrete_survival_loss
from nnunetv2_adamss.survival.nnunet_data.dataset import read_plans
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import FoldSplit, NnunetFold
from nnunetv2_adamss.survival.nnunet_data.plan_stages import stages_of
from nnunetv2_adamss.survival.setup import SurvivalSetup
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction
from nnunetv2_adamss.trainers.anchor import HALF_EVENTS
from nnunetv2_adamss.trainers.anchor import image_features as image_means
from nnunetv2_adamss.trainers.survival_fold import SurvivalFoldTrainer

N_ITERATIONS = 2000
RATES = (2.5e-4, 5e-5, 5e-6)
COX, PUBLISHED = "Cox on the covariates", "as published"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A head and its training.

    Args:
        anchor: inputs of the Cox model that the head starts from and adds to: ``none``, the ``covariates``, or these
            and a kind of image features: of the ``encoder``, the ``decoder``, or the decoder's ``attended`` ones.
        pooling: image features of the head: of the ``decoder`` or the ``attended`` ones.
        tumour: whether first-order statistics of the tumour are among the covariates.
        head_rate: multiple of the rates.
        l2_weight: of both weight matrices.
        batch_size: half events, half censored cases.
        scales: whether image features are z-scored and divided by the root of their number.
        one_score: whether all intervals share one score and differ in their bias only.
    """

    anchor: str = "none"
    pooling: str = "decoder"
    tumour: bool = True
    head_rate: float = 1.0
    l2_weight: float = 0.1
    batch_size: int = 2
    scales: bool = False
    one_score: bool = False


VARIANTS = {
    PUBLISHED: Variant(),
    "without statistics of the tumour": Variant(tumour=False),
    "rate of the head x10": Variant(head_rate=10),
    "features scaled": Variant(scales=True),
    "features scaled, rate x10": Variant(scales=True, head_rate=10),
    "L2 0.01": Variant(l2_weight=0.01),
    "batch of 16": Variant(batch_size=16),
    "one score for all intervals": Variant(one_score=True),
    "means weighted by attention": Variant(pooling="attended"),
    "anchor: covariates": Variant(anchor="covariates"),
    "anchor: covariates and decoder": Variant(anchor="decoder"),
    "anchor: covariates and decoder, weighted by attention": Variant(anchor="attended"),
    "anchor: covariates and encoder": Variant(anchor="encoder"),
    "the same, rate x10 (the anchored model)": Variant(anchor="encoder", head_rate=10),
}


@dataclass(frozen=True, eq=False)
class Patients:
    """Patients with image features by kind, covariates ``(n, ...)`` and outcomes."""

    features: dict[str, NDArray[np.float64]]
    covariates: NDArray[np.float64]
    event: NDArray[np.bool_]
    time: NDArray[np.float64]


def main() -> None:
    parser = study_parser(__doc__)
    args = parser.parse_args()
    project = Project(args.work.resolve(), phantoms(args.n), args.device)
    project.prepare(n_folds=N_FOLDS)
    project.extract_radiomics("groundtruth", "first_order")
    os.environ |= project.variables
    features = image_features(project)
    rows: list[dict[str, Any]] = []
    with training_pool(args.workers) as pool:
        tasks = {
            pool.submit(c_indices, project, features, arm, seed): (arm, seed)
            for seed, arm in product(range(args.seeds), ARMS)
        }
        for task in as_completed(tasks):
            arm, seed = tasks[task]
            rows.append({"arm": arm, "seed": seed, **task.result()})
            print(pd.Series(rows[-1]).to_string(), flush=True)
            write(args.output, in_order(rows))


def image_features(project: Project) -> dict[str, pd.DataFrame]:
    """Compute means over each case's region, by kind and ``case_id``."""
    trainer = stage_one_trainer(project)
    network = trainer.bare_network

    def decoder(image: Tensor, valid: Tensor) -> list[Tensor]:
        return network.survival_head.means(network.decoder_features(image), valid)

    def attended(image: Tensor, valid: Tensor) -> list[Tensor]:
        with network.interpreted() as seen:
            stage_features = network.decoder_features(image)
        return [masked_mean(*pair) for pair in zip(stage_features, seen.attention, strict=True)]

    of_kind = {means.__name__: of_all_cases(trainer, means) for means in (decoder, attended)}
    return {"encoder": encoder_features(trainer), **of_kind}


def stage_one_trainer(project: Project, fold: int = 0) -> SurvivalFoldTrainer:
    """Return a trainer whose network has the weights of a fold's Stage I."""
    from nnunetv2_adamss.trainers import AdaMSSSurvTrainer_ImageOnly

    plans, dataset_json = read_plans(project.config.folder_name, PLANS)
    plans["continue_training"] = False  # which nnU-Net's command adds
    device = torch.device(project.device)
    trainer = AdaMSSSurvTrainer_ImageOnly(plans, "3d_fullres", fold, dataset_json, device)
    SurvivalConfig(seg_trainer=STAGE_ONE, mask_source="groundtruth").save(Path(trainer.output_folder))
    trainer.initialize()
    return trainer


def encoder_features(trainer: SurvivalFoldTrainer) -> pd.DataFrame:
    """Compute means of the encoder's features over each case's region, by ``case_id``."""
    network = trainer.bare_network
    of_encoder = StageMeans(network.stages.n_dimensions, network.stages.strides)
    return of_all_cases(trainer, lambda image, valid: of_encoder(network.encoder_features(image), valid))


def of_all_cases(
    trainer: SurvivalFoldTrainer, means: Callable[[Tensor, Tensor], list[Tensor]]
) -> pd.DataFrame:
    """Compute means of features over each case's region, by ``case_id``."""
    case_ids = trainer.survival_fold.all_cases
    return pd.DataFrame(image_means(trainer, case_ids, means), index=case_ids)


def c_indices(
    project: Project, features: dict[str, pd.DataFrame], arm: str, seed: int
) -> dict[str, float | None]:
    """Return the C-index of the validation cases by every variant."""
    rng = np.random.default_rng([seed, list(ARMS).index(arm)])
    _, survival_csv = project.write_outcomes(f"outcomes/{arm.replace(' ', '_')}_{seed}", ARMS[arm], rng)
    fold = MOST_SEEDS * list(ARMS).index(arm) + seed
    split = json.loads((project.preprocessed / "splits_final.json").read_text())[fold]
    config = SurvivalConfig(
        seg_trainer=STAGE_ONE, survival_csv=str(survival_csv), mask_source="groundtruth",
        radiomics="first_order", seed=seed,
    )  # fmt: skip
    found: dict[str, float | None] = {}
    of_use = {
        tumour: read_patients(project, features, split, config, CovariateUse(radiomics=tumour))
        for tumour in (True, False)
    }
    for name, variant in VARIANTS.items():
        setup, training, validation = of_use[variant.tumour]
        found[name] = c_index_of(train(variant, setup, training, seed), setup, validation)
    setup, _, validation = of_use[True]
    cox = setup.fold.covariate_report.only_cox
    risk = validation.covariates @ cox.weights if cox else np.zeros(len(validation.time))
    return {COX: harrell_c(risk, validation.event, validation.time).c_index, **found}


def read_patients(
    project: Project,
    features: dict[str, pd.DataFrame],
    split: dict[str, list[str]],
    config: SurvivalConfig,
    use: CovariateUse,
) -> tuple[SurvivalSetup, Patients, Patients]:
    """Read a fold with its covariates: training and validation cases."""
    plans, dataset_json = read_plans(project.config.folder_name, PLANS)
    nnunet_fold = NnunetFold(plans, dataset_json, "3d_fullres", 0)
    setup = SurvivalSetup.begin(nnunet_fold, config, FoldSplit(split["train"], split["val"]), use)

    def patients(case_ids: tuple[str, ...]) -> Patients:
        covariates = setup.fold.covariates.apply(setup.covariates, case_ids)
        time, event = setup.table.time_and_event(list(case_ids))
        of_cases = np.stack([covariates[case_id] for case_id in case_ids]).astype(np.float64)
        own = {kind: table.loc[list(case_ids)].to_numpy() for kind, table in features.items()}
        return Patients(own, of_cases, event, time)

    return setup, patients(setup.fold.training_cases), patients(setup.fold.validation_cases)


class Given(nn.Module):
    """Pooling that passes on image features that are means already."""

    def forward(self, features: Tensor, valid: Tensor) -> list[Tensor]:
        return [features]


class Head(nn.Module):
    """The survival head of a variant.

    Args:
        variant: of the study.
        n_covariates: number of covariates.
        n_intervals: number of time intervals.
        anchor: log hazard ratios of the anchor's inputs, and baseline logits.
    """

    def __init__(
        self,
        variant: Variant,
        n_covariates: int,
        n_intervals: int,
        anchor: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
    ) -> None:
        super().__init__()
        self.head = SurvivalHead(stages(), n_covariates, 1 if variant.one_score else n_intervals)
        self.head.means = Given()
        self.bias = nn.Parameter(torch.zeros(n_intervals)) if variant.one_score else None
        self.anchor = tensor(anchor[0]) if anchor else None
        if anchor:
            self.head.output.bias.data.copy_(tensor(anchor[1]))
            nn.init.zeros_(self.head.output.weight)

    def forward(self, features: Tensor, anchored: Tensor, covariates: Tensor) -> Tensor:
        logits = self.head(features, torch.empty(0), covariates)
        logits = logits if self.bias is None else logits + self.bias
        return logits if self.anchor is None else logits - (anchored @ self.anchor)[:, None]


def train(
    variant: Variant, setup: SurvivalSetup, training: Patients, seed: int
) -> Callable[[Patients], Tensor]:
    """Train a head; return a function from patients to logits."""
    torch.manual_seed(seed)
    labels = interval_labels(setup.fold.edges, training.event, training.time)
    pooled = training.features[variant.pooling]
    mean, spread = pooled.mean(axis=0), (pooled.std(axis=0) + 1e-6) * np.sqrt(pooled.shape[1])

    def of_anchor(patients: Patients) -> NDArray[np.float64]:
        return patients.features.get(variant.anchor, np.zeros((len(patients.time), 0)))

    def inputs(patients: Patients) -> tuple[Tensor, Tensor, Tensor]:
        features = patients.features[variant.pooling]
        features = (features - mean) / spread if variant.scales else features
        anchored = np.hstack([of_anchor(patients), patients.covariates])
        return tensor(features), tensor(anchored), tensor(patients.covariates)

    start = None
    if variant.anchor != "none":
        anchor = Anchor.fit(of_anchor(training), training.covariates, training.event, training.time, seed)
        shares = sampling_weights(training.event, HALF_EVENTS)
        start = (anchor.weights, anchor.start_logits(labels, shares))
    head = Head(variant, training.covariates.shape[1], setup.fold.n_intervals, start)
    features, anchored, covariates = inputs(training)
    survived, failed = tensor(labels.survived), tensor(labels.failed)
    kinds = [np.flatnonzero(training.event), np.flatnonzero(~training.event)]
    optimizer = torch.optim.Adam(head.parameters())
    rng = np.random.default_rng(seed)
    for iteration in range(N_ITERATIONS):
        rate = RATES[(iteration >= 0.4 * N_ITERATIONS) + (iteration >= 0.8 * N_ITERATIONS)]
        optimizer.param_groups[0]["lr"] = variant.head_rate * rate
        batch = np.concatenate([rng.choice(kind, variant.batch_size // 2, replace=False) for kind in kinds])
        logits = head(features[batch], anchored[batch], covariates[batch])
        loss = discrete_survival_loss(logits, survived[batch], failed[batch])
        optimizer.zero_grad()
        (loss + variant.l2_weight * head.head.squared_weights()).backward()
        nn.utils.clip_grad_norm_(head.parameters(), 12)
        optimizer.step()
    head.eval()
    return lambda patients: head(*inputs(patients)).detach()


def stages() -> Stages:
    """Return the stages of the phantoms' plan."""
    plans, _ = read_plans(phantoms(1).folder_name, PLANS)
    return stages_of(PlansManager(plans).get_configuration("3d_fullres"))


def tensor(values: NDArray[Any]) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32)


def c_index_of(
    logits_of: Callable[[Patients], Tensor], setup: SurvivalSetup, patients: Patients
) -> float | None:
    probability = torch.sigmoid(logits_of(patients).double()).numpy()
    case_ids = [str(i) for i in range(len(probability))]
    risk = SurvivalPrediction(case_ids, probability, setup.fold.edges).risk_score
    return harrell_c(risk, patients.event, patients.time).c_index


def write(output: Path, rows: pd.DataFrame) -> None:
    """Write rows, the mean of every variant in every arm, and its difference to the published head; 95% intervals."""
    found = {
        arm: {
            name: {
                "c_index": mean_and_interval(part[name]),
                "less_published": mean_and_interval(part[name] - part[PUBLISHED]),
            }
            for name in (COX, *VARIANTS)
        }
        for arm, part in rows.groupby("arm", sort=False)
    }
    write_atomically(output, json.dumps({"summary": found, "rows": rows.to_dict("records")}, indent=2))


if __name__ == "__main__":
    main()
