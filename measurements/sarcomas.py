"""Published and anchored AdaMSS on real PET/CT with follow-up, beside Cox, tumour volume and SUVmax.

28 sarcomas with 13 events, in five folds. Stage I is trained once a fold (short schedule); each case's mask comes from
the fold that was not trained on it. Stage II is trained with each seed, as published and anchored, both with clinical
indicators and first-order statistics of the tumour (short schedules). Pairs are compared within folds; intervals
are of a bootstrap over patients, of the mean over seeds.

    python measurements/sarcomas.py WORK_FOLDER -o FILE

Trainings that are finished are not repeated, so a killed run can be started again, also with more seeds.
"""

import argparse
import json
import os
from collections.abc import Callable
from concurrent.futures import as_completed
from itertools import product
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
from phantom_project import STAGE_ONE, SURVIVAL_TRAINER, Project, covariates_only_risk, predicted_risk
from simulation_study import training_pool, tumour_sizes

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig
from nnunetv2_adamss.metrics.concordance import harrell_pairs
from nnunetv2_adamss.metrics.estimate import percentile_interval
from nnunetv2_adamss.metrics.pairs import pooled
from nnunetv2_adamss.metrics.resampling import ResampledCohort
from nnunetv2_adamss.metrics.volume_and_uptake import SUV_MAX, TUMOUR_VOLUME

SARCOMAS = Path(__file__).resolve().parents[2] / "shared" / "data" / "Dataset510_STS"
# The data of this project exist already, so only the name of the cohort is used.
STS = PhantomCohortConfig(dataset_id=510, dataset_name="STS")
N_FOLDS = 5
PUBLISHED, ANCHORED, COX = "AdaMSS as published", "AdaMSS anchored", "Cox on the covariates"
TRAINERS = {PUBLISHED: SURVIVAL_TRAINER, ANCHORED: f"{SURVIVAL_TRAINER}_Anchored"}
SETTINGS = {"mask_source": "out_of_fold", "radiomics": "first_order"}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--raw", type=Path, default=SARCOMAS, help="raw data set (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=3, help="(default: %(default)s)")
    parser.add_argument("-device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count(), help="trainings in parallel (default: a core each)"
    )
    args = parser.parse_args()

    project = prepared_project(args.work.resolve(), args.raw.resolve(), args.device)
    start = monotonic()
    with training_pool(args.workers) as pool:
        tasks = [
            pool.submit(train, project, seed, fold, trainer)
            for seed, fold, trainer in product(range(args.seeds), range(N_FOLDS), TRAINERS.values())
        ]
        for number, task in enumerate(as_completed(tasks), start=1):
            print(f"{task.result()}: {number} of {len(tasks)}, {monotonic() - start:.0f} s", flush=True)
    found = figures(project, args.seeds)
    write_atomically(args.output, json.dumps({"seeds": args.seeds, **found}, indent=2))
    print_figures(found)


def prepared_project(root: Path, raw: Path, device: str) -> Project:
    """Make Stage I, its masks and their statistics, of all folds."""
    project = Project(root, STS, device)
    if not project.raw.exists():
        project.raw.parent.mkdir(parents=True, exist_ok=True)
        project.raw.symlink_to(raw)
    project.plan()
    if not project.splits_file.is_file():
        project.run("adamss_make_splits", "-d", project.dataset_id, "-k", str(N_FOLDS))
    for fold in range(N_FOLDS):
        project.train_stage_one(STAGE_ONE, fold)
    for fold in range(N_FOLDS):
        project.extract_radiomics(SETTINGS["mask_source"], SETTINGS["radiomics"], fold)
    return project


def of_seed(project: Project, seed: int) -> Project:
    """Return the same project with a separate folder for this seed's trainings of Stage II."""
    own = Project(project.root, project.config, project.device, results=f"results_{seed}")
    stage_one = own.fold_folder(STAGE_ONE).parent
    if not stage_one.exists():
        stage_one.parent.mkdir(parents=True, exist_ok=True)
        stage_one.symlink_to(project.results / stage_one.name)
    return own


def train(project: Project, seed: int, fold: int, trainer: str) -> str:
    """Train Stage II of one fold; return its name."""
    folder = of_seed(project, seed).train_here(trainer, fold, {**SETTINGS, "seed": seed})
    return f"{trainer}, fold {folder.name}, seed {seed}"


def figures(project: Project, n_seeds: int) -> dict[str, Any]:
    """Return the C-index of every method, and the anchored model minus every other, over pairs within folds."""
    splits = json.loads(project.splits_file.read_text())
    fold = pd.Series({case_id: number for number, split in enumerate(splits) for case_id in split["val"]})
    table = pd.read_csv(project.raw / "survival.csv").set_index("case_id").loc[fold.index]
    cohort = ResampledCohort(
        table["event"].to_numpy(dtype=bool), table["time"].to_numpy(float), fold.to_numpy()
    )
    sizes = tumour_sizes(project)
    risks = {
        name: [out_of_fold_risk(of_seed(project, seed), trainer, network_risk) for seed in range(n_seeds)]
        for name, trainer in TRAINERS.items()
    }
    # The same for every seed.
    risks[COX] = [out_of_fold_risk(of_seed(project, 0), TRAINERS[ANCHORED], covariates_only_risk)]
    risks |= {"tumour volume": [sizes[TUMOUR_VOLUME]], "SUVmax": [sizes[SUV_MAX]]}
    shares = {
        name: np.array([c_of_resamples(risk[fold.index], cohort) for risk in of_seeds])
        for name, of_seeds in risks.items()
    }
    return {
        "patients": len(fold),
        "events": int(cohort.event.sum()),
        "methods": {
            name: {
                "c_of_seeds": share[:, 0].tolist(),
                "c_index": with_interval(share.mean(axis=0), cohort),
                "anchored_less_this": with_interval(
                    shares[ANCHORED].mean(axis=0) - share.mean(axis=0), cohort
                ),
            }
            for name, share in shares.items()
        },
    }


def out_of_fold_risk(project: Project, trainer: str, read: Callable[[Path], pd.Series]) -> pd.Series:
    """Risk of every case by the fold that was not trained on it, read from each fold's predictions."""
    return pd.concat(read(project.fold_folder(trainer, fold) / "validation") for fold in range(N_FOLDS))


def network_risk(validation: Path) -> pd.Series:
    """Risk of the network, from the folder of its predictions."""
    return predicted_risk(validation / "survival_predictions.csv")


def c_of_resamples(risk: pd.Series, cohort: ResampledCohort) -> np.ndarray:
    """Return the C-index of the patients and of each resample."""
    return pooled(harrell_pairs(risk.to_numpy(), cohort)).share


def with_interval(of_resamples: np.ndarray, cohort: ResampledCohort) -> list[float] | None:
    """Return the value and its 95% interval."""
    interval, _ = percentile_interval(
        of_resamples[1:], "have no comparable pair", n_events=int(cohort.event.sum())
    )
    return [float(of_resamples[0]), *interval] if interval else None


def print_figures(found: dict[str, Any]) -> None:
    print(
        f"\n{found['patients']} patients, {found['events']} events; C-index [95% interval]; anchored less this"
    )
    for name, row in found["methods"].items():
        cells = [
            "{:.3f} [{:.3f}, {:.3f}]".format(*row["c_index"]),
            "{:+.3f} [{:+.3f}, {:+.3f}]".format(*row["anchored_less_this"]),
            " ".join(f"{c:.3f}" for c in row["c_of_seeds"]),
        ]
        print(f"  {name:<24}{'   '.join(cells)}")


if __name__ == "__main__":
    main()
