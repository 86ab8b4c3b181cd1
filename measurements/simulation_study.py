"""Which methods find which prognostic signal: phantoms whose hazard follows one known signal at a time.

One cohort of phantoms, one Stage-I training that all methods share; five arms, which differ in the outcomes alone:

- inside: the spread of PET uptake in the tumour;
- outside: the PET uptake of muscle away from every mask;
- CT only: fatty streaks in CT, away from every mask;
- clinical: age and HPV status. AdaMSS should lose this one to a Cox model on these two columns and selected radiomics;
- nothing: outcomes that follow no signal, so that every C-index should be 0.5.

Each seed draws outcomes, a split (60% of the patients train) and what is random in a method. Methods are compared on
the same seeds, so their differences are paired.

    python measurements/simulation_study.py WORK_FOLDER -o FILE              a night on two CPU cores (estimated)
    python measurements/simulation_study.py WORK_FOLDER -o FILE --reduced    about half an hour

Trainings that are finished are not repeated, so a killed run can be started again, also with more seeds or methods.
"""

import argparse
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from phantom_project import STAGE_ONE, SURVIVAL_TRAINER, Project, mean_and_interval, predicted_risk

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig
from nnunetv2_adamss.metrics.concordance import harrell_c

ARMS: dict[str, dict[str, float]] = {
    "inside": {"heterogeneity": 1.0},
    "outside": {"out_of_tumour_uptake": 1.0},
    "CT only": {"ct_only_pattern": 1.0},
    "clinical": {"age": 1.0, "hpv": -1.0},
    "nothing": {},
}
STATISTICAL = {
    "TumourVolume": "tumour_volume",
    "SUVmax": "suv_max",
    "CovariatesCox": "covariates_cox",
    "LassoCoxPH": "lasso_cox",
    "ICARE": "icare",
}
REDUCED_DEEP = (f"{SURVIVAL_TRAINER}_NoRadiomics",)
DEEP = (
    *REDUCED_DEEP,
    f"{SURVIVAL_TRAINER}_EarlyFusion",
    f"{SURVIVAL_TRAINER}_PETOnly",
    f"{SURVIVAL_TRAINER}_CTOnly",
    f"{SURVIVAL_TRAINER}_SurvivalOnly",
    "DeepMTSTrainer_ShortSchedule",
)
ADAMSS = REDUCED_DEEP[0]
TRUE_RISK = "true risk"
# Seeds have folds of their own in every arm.
MOST_SEEDS = 100
N_FOLDS = MOST_SEEDS * len(ARMS)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("-n", type=int, default=120, help="phantoms (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=10, help="(default: %(default)s)")
    parser.add_argument("--deep_seeds", type=int, help="of them, with deep methods too (default: all)")
    parser.add_argument("--epochs", type=int, default=4, help="of 40 iterations (default: %(default)s)")
    parser.add_argument("--reduced", action="store_true", help="AdaMSS is the only deep method, on 2 seeds")
    parser.add_argument("-device", default="cpu", choices=["cpu", "cuda"])
    args = parser.parse_args()
    if not 1 <= args.seeds <= MOST_SEEDS:
        parser.error(f"--seeds must be from 1 to {MOST_SEEDS}")
    if args.deep_seeds is None:
        args.deep_seeds = 2 if args.reduced else args.seeds

    config = PhantomCohortConfig(
        n_training=args.n, n_test=0, shape=(32, 32, 32), spacing_mm=(5, 5, 5), censoring_fraction=0.3,
        dataset_id=996,
    )  # fmt: skip
    project = Project(args.work.resolve(), config, args.device)
    project.check_settings({"n": args.n, "epochs": args.epochs})
    project.prepare(n_folds=N_FOLDS)
    deep = REDUCED_DEEP if args.reduced else DEEP
    for trainer in deep if args.deep_seeds else ():
        project.train_stage_one(stage_one_of(trainer))
    project.run("adamss_extract_radiomics", *project.fold(0), "--mask_source", "groundtruth")
    rows = []
    # Seeds first: a run that is stopped has as many of one arm as of another.
    for seed, arm in product(range(args.seeds), ARMS):
        trainers = deep if seed < args.deep_seeds else ()
        rows.append({"arm": arm, "seed": seed, **scores(project, arm, seed, args.epochs, trainers)})
        print(pd.DataFrame(rows).tail(1).T, flush=True)
        write(args.output, pd.DataFrame(rows), vars(args))
    print_summary(summary(pd.DataFrame(rows)))


def scores(project: Project, arm: str, seed: int, epochs: int, trainers: tuple[str, ...]) -> dict[str, Any]:
    """C-index of every method on the validation cases."""
    rng = np.random.default_rng([seed, list(ARMS).index(arm)])
    outcomes = f"outcomes/{arm.replace(' ', '_')}_{seed}"
    truth, survival_csv = project.write_outcomes(outcomes, ARMS[arm], rng)
    fold = MOST_SEEDS * list(ARMS).index(arm) + seed
    options = ("--survival_csv", str(survival_csv), "--seed", str(seed))
    for trainer in {STAGE_ONE, *map(stage_one_of, trainers)}:
        project.share_stage_one(trainer, fold)
    folders = {
        name: project.fit_statistical(method, name, fold, survival_csv=str(survival_csv), seed=seed)
        for name, method in STATISTICAL.items()
    }
    for trainer in trainers:
        folders[trainer] = project.train(
            trainer, fold, *options, "--epochs", str(epochs), stage_one=stage_one_of(trainer)
        )
    risks = {
        name: predicted_risk(folder / "validation" / "survival_predictions.csv")
        for name, folder in folders.items()
    }
    cases = truth.set_index("case_id").loc[next(iter(risks.values())).index]
    risks[TRUE_RISK] = cases["true_risk"]
    event, time = cases["event"].to_numpy(dtype=bool), cases["time"].to_numpy()
    c_indices = {
        name: harrell_c(risk.loc[cases.index].to_numpy(), event, time).c_index for name, risk in risks.items()
    }
    return {"events": int(event.sum()), **c_indices}


def stage_one_of(trainer: str) -> str:
    """The Stage-I trainer whose network a survival training starts from, or whose masks it takes."""
    fusion = trainer.removeprefix(f"{SURVIVAL_TRAINER}_")
    return f"{STAGE_ONE}_{fusion}" if fusion in ("EarlyFusion", "PETOnly", "CTOnly") else STAGE_ONE


def summary(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Mean C-index over seeds of every arm and method, and AdaMSS less every other, with 95% intervals."""
    methods = [name for name in rows if name not in ("arm", "seed", "events") and rows[name].notna().any()]
    found: dict[str, dict[str, Any]] = {}
    for arm, part in rows.groupby("arm", sort=False):
        found[str(arm)] = {
            name: {
                "seeds": int(part[name].notna().sum()),
                "c_index": mean_and_interval(part[name].dropna()),
                "adamss_less_this": mean_and_interval((part[ADAMSS] - part[name]).dropna())
                if ADAMSS in part and name != ADAMSS
                else None,
            }
            for name in methods
        }
    return found


def write(output: Path, rows: pd.DataFrame, settings: dict[str, Any]) -> None:
    known = {name: value for name, value in settings.items() if name not in ("work", "output")}
    # JSON has no NaN.
    plain = rows.astype(object).where(rows.notna(), None)
    content = {"settings": known, "summary": summary(rows), "rows": plain.to_dict("records")}
    write_atomically(output, json.dumps(content, indent=2))


def print_summary(found: dict[str, dict[str, Any]]) -> None:
    print("\nmean C-index over seeds [95% interval of the mean]; AdaMSS less this method")
    for arm, methods in found.items():
        print(f"\n{arm}")
        for name, figures in methods.items():
            mean, low, high = figures["c_index"]
            line = f"  {name:<46}{mean:.3f} [{low:.3f}, {high:.3f}]"
            if figures["adamss_less_this"]:
                mean, low, high = figures["adamss_less_this"]
                line += f"   {mean:+.3f} [{low:+.3f}, {high:+.3f}]"
            print(line)


if __name__ == "__main__":
    main()
