"""What image features add to a Cox model on the covariates, for images that Stage I has seen and for new ones.

Cohort, arms and covariates are those of the head study. Each of several splits has a Stage-I network of its own, which
is trained on its training images alone. The anchor of the anchored model is fitted to the training cases and ranks the
validation cases three times: without image features, with those of the split's own network, to which the validation
images are new, and with those of another split's network, which was trained on most of them. Nothing else is trained,
so many outcomes can be drawn.

    python measurements/anchor_study.py WORK_FOLDER -o FILE

Finished Stage-I networks are not trained again, so a killed run can be started again.
"""

import json
import os
from concurrent.futures import as_completed
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from head_study import encoder_features, read_patients, stage_one_trainer
from phantom_project import STAGE_ONE, Project, mean_and_interval
from simulation_study import ARMS, in_order, phantoms, study_parser, training_pool

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.covariates.covariate_use import CovariateUse
from nnunetv2_adamss.survival.covariates.cox_anchor import Anchor

N_TRAINING = (30, 60, 140)
COX, NEW, SEEN = "covariates", "with features of images new to Stage I", "with features of images mostly seen"


def main() -> None:
    parser = study_parser(__doc__)
    parser.add_argument("--splits", type=int, default=5, help="Stage-I networks (default: %(default)s)")
    args = parser.parse_args()
    project = Project(args.work.resolve(), phantoms(args.n), args.device)
    project.preprocess(n_folds=args.splits)
    for split in range(args.splits):
        project.train_stage_one(STAGE_ONE, split)
    project.extract_radiomics("groundtruth", "first_order")
    os.environ |= project.variables
    features = [features_of(project, split) for split in range(args.splits)]
    rows: list[dict[str, Any]] = []
    with training_pool(args.workers) as pool:
        tasks = [
            pool.submit(c_indices, project, features, *task)
            for task in product(range(args.splits), range(args.seeds), ARMS)
        ]
        for number, task in enumerate(as_completed(tasks), start=1):
            rows += task.result()
            print(f"{number} of {len(tasks)}", flush=True)
    table = in_order(rows)
    content = {"splits": args.splits, "summary": summary(table), "rows": table.to_dict("records")}
    write_atomically(args.output, json.dumps(content, indent=2))


def features_of(project: Project, split: int) -> pd.DataFrame:
    """Compute a network's image features, by ``case_id``, or read those of an earlier run."""
    file = project.root / f"encoder_{split}.csv"
    if not file.is_file():
        encoder_features(stage_one_trainer(project, split)).to_csv(file)
    return pd.read_csv(file, index_col=0)


def c_indices(
    project: Project, features: list[pd.DataFrame], split: int, seed: int, arm: str
) -> list[dict[str, Any]]:
    """Return the C-index of the validation cases for each number of training cases."""
    rng = np.random.default_rng([seed, split, list(ARMS).index(arm)])
    outcomes = f"outcomes/{arm.replace(' ', '_')}_{split}_{seed}"
    _, survival_csv = project.write_outcomes(outcomes, ARMS[arm], rng)
    config = SurvivalConfig(
        seg_trainer=STAGE_ONE, survival_csv=str(survival_csv), mask_source="groundtruth",
        radiomics="first_order", seed=seed,
    )  # fmt: skip
    cases = json.loads(project.splits_file.read_text())[split]
    own = {COX: None, NEW: features[split], SEEN: features[(split + 1) % len(features)]}
    of_networks = {name: table.iloc[:, :0] if table is None else table for name, table in own.items()}
    rows = []
    for n in N_TRAINING:
        part = {"train": rng.permutation(cases["train"])[:n].tolist(), "val": cases["val"]}
        _, training, validation = read_patients(project, of_networks, part, config, CovariateUse())
        row = {"arm": arm, "seed": seed, "split": split, "n": n, "events": int(training.event.sum())}
        for name in of_networks:
            anchor = Anchor.fit(
                training.features[name], training.covariates, training.event, training.time, seed
            )
            risk = np.hstack([validation.features[name], validation.covariates]) @ anchor.weights
            row[name] = harrell_c(risk, validation.event, validation.time).c_index
            row[f"components, {name}"] = anchor.n_components
        rows.append(row)
    return rows


def summary(rows: pd.DataFrame) -> dict[str, Any]:
    """Return mean C-indices, and the differences to the covariates alone, by arm and number of training cases.

    Intervals are over the splits' means, since outcomes of one split share images and network.
    """
    found: dict[str, Any] = {}
    for (arm, n), part in rows.groupby(["arm", "n"], sort=False):
        of_splits = part.groupby("split")[[COX, NEW, SEEN]].mean()
        found[f"{arm}, {n}"] = {
            "events": float(part["events"].mean()),
            **{name: mean_and_interval(of_splits[name]) for name in (COX, NEW, SEEN)},
            **{
                f"{name}, less Cox": mean_and_interval(of_splits[name] - of_splits[COX])
                for name in (NEW, SEEN)
            },
        }
    return found


if __name__ == "__main__":
    main()
