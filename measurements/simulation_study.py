"""C-index of methods by prognostic signal: phantoms whose hazard follows one known signal at a time, or all.

One cohort of phantoms, one Stage-I training; all methods get the reference masks, so that only the methods
differ. Six arms, which differ in the outcomes only:

- inside: the spread of PET uptake in the tumour;
- outside: the PET uptake of muscle away from every mask;
- CT only: fatty streaks in CT, away from every mask;
- clinical: age and HPV status;
- nothing: outcomes that follow no signal, so that every C-index should be 0.5;
- all together: all seven signals of the phantoms, each half as strong.

Each seed draws outcomes, a split (70% of the patients train) and the random numbers of a method. Methods are compared
on the same seeds, so their differences are paired.

    python measurements/simulation_study.py WORK_FOLDER -o FILE

Finished parts are not repeated, so a killed run can be started again, also with more seeds. Rows of FILE that were
made with the same settings are kept, also without the work folder.
"""

import argparse
import json
import os
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context, set_start_method
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pandas as pd
from phantom_project import SURVIVAL_TRAINER, Project, covariates_only_risk, mean_and_interval, predicted_risk

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig
from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.metrics.volume_and_uptake import SUV_MAX, TUMOUR_VOLUME, measure_tumour

ARMS: dict[str, dict[str, float]] = {
    "inside": {"heterogeneity": 1.0},
    "outside": {"out_of_tumour_uptake": 1.0},
    "CT only": {"ct_only_pattern": 1.0},
    "clinical": {"age": 1.0, "hpv": -1.0},
    "nothing": {},
    "all together": {
        "volume": 0.5, "heterogeneity": 0.5, "n_nodes": 0.5, "out_of_tumour_uptake": 0.5, "ct_only_pattern": 0.5,
        "age": 0.5, "hpv": -0.5,
    },
}  # fmt: skip
STATISTICAL = {"LassoCoxPH": "lasso_cox", "ICARE": "icare"}
ANCHORED = f"{SURVIVAL_TRAINER}_Anchored"
DEEP = (SURVIVAL_TRAINER, ANCHORED)
TRUE_RISK = "true risk"
# Seeds have separate folds in every arm.
MOST_SEEDS = 100
N_FOLDS = MOST_SEEDS * len(ARMS)


def main() -> None:
    parser = study_parser(__doc__)
    parser.add_argument("--epochs", type=int, default=4, help="of 40 iterations (default: %(default)s)")
    args = parser.parse_args()
    if not 1 <= args.seeds <= MOST_SEEDS:
        parser.error(f"--seeds must be from 1 to {MOST_SEEDS}")

    project = Project(args.work.resolve(), phantoms(args.n), args.device)
    project.check_settings({"n": args.n, "epochs": args.epochs})
    project.prepare(n_folds=N_FOLDS)
    project.extract_radiomics("groundtruth")
    sizes = tumour_sizes(project)
    start, rows = monotonic(), finished_rows(args.output, settings_of(args))
    with training_pool(args.workers) as pool:
        # Seeds first: a run that is stopped has equally many of each arm.
        tasks = {
            pool.submit(scores, project, arm, seed, args.epochs, sizes): (arm, seed)
            for seed, arm in product(range(args.seeds), ARMS)
            if (arm, seed) not in [(row["arm"], row["seed"]) for row in rows]
        }
        for task in as_completed(tasks):
            arm, seed = tasks[task]
            rows.append({"arm": arm, "seed": seed, **task.result()})
            print(pd.DataFrame(rows).tail(1).T, f"\n{monotonic() - start:.0f} s", flush=True)
            write(args.output, in_order(rows), settings_of(args))
    print_summary(summary(in_order(rows)))


def study_parser(description: str | None) -> argparse.ArgumentParser:
    """Return the options of a study on this cohort."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("-n", type=int, default=200, help="phantoms (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=10, help="(default: %(default)s)")
    parser.add_argument("-device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count(), help="trainings in parallel (default: a core each)"
    )
    return parser


def phantoms(n: int) -> PhantomCohortConfig:
    """Return the cohort that all arms share."""
    return PhantomCohortConfig(
        n_training=n,
        n_test=0,
        shape=(32, 32, 32),
        spacing_mm=(5, 5, 5),
        censoring_fraction=0.3,
        dataset_id=996,
    )


def training_pool(workers: int) -> ProcessPoolExecutor:
    """Processes for trainings, each on one core."""
    # Threads of several trainings would wait for each other. Set before the workers import torch.
    os.environ |= {"OMP_NUM_THREADS": "1", "nnUNet_n_proc_DA": "1", "nnUNet_def_n_proc": "1"}
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=begin_worker)


def begin_worker() -> None:
    """Let nnU-Net's own pools fork: a dozen spawned processes for every fit would each import torch again."""
    set_start_method("fork", force=True)
    warnings.simplefilter("ignore")  # warnings of pools and loaders about the number of cores


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that rows depend on."""
    return {"n": args.n, "epochs": args.epochs, "device": args.device}


def finished_rows(output: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Read the rows of an earlier run with the same settings."""
    content = json.loads(output.read_text()) if output.is_file() else {}
    return list(content["rows"]) if content.get("settings") == settings else []


def tumour_sizes(project: Project) -> pd.DataFrame:
    """Measure volume and SUVmax, by ``case_id``."""
    masks = sorted((project.raw / "labelsTr").glob("*.nii.gz"))
    files = {file.name.removesuffix(".nii.gz"): file for file in masks}
    found = {
        case_id: measure_tumour(file, project.raw / "imagesTr" / f"{case_id}_0001.nii.gz")
        for case_id, file in files.items()
    }
    return pd.DataFrame.from_dict(found, orient="index")


def scores(project: Project, arm: str, seed: int, epochs: int, sizes: pd.DataFrame) -> dict[str, Any]:
    """Return the C-index of every method on the validation cases."""
    rng = np.random.default_rng([seed, list(ARMS).index(arm)])
    outcomes = f"outcomes/{arm.replace(' ', '_')}_{seed}"
    truth, survival_csv = project.write_outcomes(outcomes, ARMS[arm], rng)
    fold = MOST_SEEDS * list(ARMS).index(arm) + seed
    folders = {
        name: project.fit_statistical(method, name, fold, survival_csv=str(survival_csv), seed=seed)
        for name, method in STATISTICAL.items()
    }
    settings = {
        "survival_csv": str(survival_csv), "seed": seed, "epochs": epochs, "mask_source": "groundtruth",
    }  # fmt: skip
    folders |= {trainer: project.train_here(trainer, fold, settings) for trainer in DEEP}
    risks = {
        name: predicted_risk(folder / "validation" / "survival_predictions.csv")
        for name, folder in folders.items()
    }
    risks["CovariatesCox"] = covariates_only_risk(folders[ANCHORED] / "validation")
    risks |= {"TumourVolume": sizes[TUMOUR_VOLUME], "SUVmax": sizes[SUV_MAX]}
    cases = truth.set_index("case_id").loc[next(iter(risks.values())).index]
    risks[TRUE_RISK] = cases["true_risk"]
    event, time = cases["event"].to_numpy(dtype=bool), cases["time"].to_numpy()
    c_indices = {
        name: harrell_c(risk.loc[cases.index].to_numpy(), event, time).c_index for name, risk in risks.items()
    }
    return {"events": int(event.sum()), **c_indices}


def in_order(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the rows as a table, sorted by arm."""
    return pd.DataFrame(sorted(rows, key=lambda row: (list(ARMS).index(row["arm"]), row["seed"])))


def summary(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return mean C-indices over seeds by arm and method, and the anchored model minus every other; 95% intervals."""
    methods = [name for name in rows if name not in ("arm", "seed", "events")]
    found: dict[str, dict[str, Any]] = {}
    for arm, part in rows.groupby("arm", sort=False):
        found[str(arm)] = {
            name: {
                "seeds": len(part),
                "c_index": mean_and_interval(part[name]),
                "anchored_less_this": None
                if name == ANCHORED
                else mean_and_interval(part[ANCHORED] - part[name]),
            }
            for name in methods
        }
    return found


def write(output: Path, rows: pd.DataFrame, settings: dict[str, Any]) -> None:
    content = {"settings": settings, "summary": summary(rows), "rows": rows.to_dict("records")}
    write_atomically(output, json.dumps(content, indent=2))


def print_summary(found: dict[str, dict[str, Any]]) -> None:
    print("\nmean C-index over seeds [95% interval of the mean]; the anchored model less this method")
    for arm, methods in found.items():
        print(f"\n{arm}")
        for name, figures in methods.items():
            mean, low, high = figures["c_index"]
            line = f"  {name:<46}{mean:.3f} [{low:.3f}, {high:.3f}]"
            if figures["anchored_less_this"]:
                mean, low, high = figures["anchored_less_this"]
                line += f"   {mean:+.3f} [{low:+.3f}, {high:+.3f}]"
            print(line)


if __name__ == "__main__":
    main()
