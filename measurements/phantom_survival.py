"""Stage II on synthetic patients whose risk lies outside the tumour, beside tumour volume, and on shuffled outcomes.

One cohort of phantoms, one Stage-I training. Each seed then draws its own outcomes, split, head and batches:

- arm "outside": the hazard follows a ring of muscle uptake in PET and a pattern in CT, both outside every mask;
- arm "shuffled": the same outcomes, assigned to other patients, so that there is no signal.

    python measurements/phantom_survival.py WORK_FOLDER -o measurements/results/phantom_survival.json

Trainings that are finished are not repeated, so a killed run can be started again; with the same settings only.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from phantom_project import SURVIVAL_TRAINER, Project, mean_and_interval

from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig
from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.metrics.volume_and_uptake import tumour_volume_ml

LOG_HAZARD_RATIOS = {"out_of_tumour_uptake": 1.2, "ct_only_pattern": 1.2}
ARMS = ("outside", "shuffled")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("-n", type=int, default=120, help="phantoms (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="of each arm (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=10, help="of 40 iterations (default: %(default)s)")
    parser.add_argument("-device", default="cpu", choices=["cpu", "cuda"])
    args = parser.parse_args()

    config = PhantomCohortConfig(
        n_training=args.n,
        n_test=0,
        shape=(32, 32, 32),
        spacing_mm=(5, 5, 5),
        signals_on=tuple(LOG_HAZARD_RATIOS),
        dataset_id=995,
    )
    project = Project(args.work.resolve(), config, args.device)
    project.check_settings({"n": args.n, "seeds": args.seeds, "epochs": args.epochs})
    project.prepare(n_folds=len(ARMS) * args.seeds)
    rows = []
    for seed in range(args.seeds):
        for i, arm in enumerate(ARMS):
            rows.append(result(project, arm, seed, fold=len(ARMS) * seed + i, epochs=args.epochs))
            print(rows[-1], flush=True)
    settings = {name: value for name, value in vars(args).items() if name not in ("work", "output")}
    write_and_print(args.output, pd.DataFrame(rows), settings)


def result(project: Project, arm: str, seed: int, fold: int, epochs: int) -> dict:
    """Return C-indices of the validation cases in one training."""
    table = outcomes(project, arm, seed)
    file = project.root / f"survival_{arm}_{seed}.csv"
    table[["case_id", "time", "event"]].to_csv(file, index=False)
    folder = project.train(
        f"{SURVIVAL_TRAINER}_ImageOnly", fold, "--survival_csv", str(file), "--seed", str(seed), "--epochs", str(epochs)
    )  # fmt: skip
    predictions = pd.read_csv(folder / "validation" / "survival_predictions.csv")
    best = json.loads((folder / "survival_summary.json").read_text())["c_index"]["best"]["c_index"]
    cases = table.set_index("case_id").loc[predictions["case_id"]]
    volume = [tumour_volume_ml(project.raw / "labelsTr" / f"{case_id}.nii.gz") for case_id in cases.index]
    risks = {
        "last epoch": predictions["risk_score"],
        "tumour volume": volume,
        "true risk": cases["true_risk"],
    }
    event, time = cases["event"].to_numpy(dtype=bool), cases["time"].to_numpy()
    scores = {name: harrell_c(np.asarray(risk), event, time) for name, risk in risks.items()}
    return {
        "arm": arm,
        "seed": seed,
        "n_pairs": scores["last epoch"].n_pairs,
        "best epoch (selected on these cases)": best,
        **{name: score.c_index for name, score in scores.items()},
    }


def outcomes(project: Project, arm: str, seed: int) -> pd.DataFrame:
    """Draw new times and events; in arm "shuffled" they are then permuted among patients."""
    rng = np.random.default_rng([seed, 7])
    truth = project.draw_outcomes(LOG_HAZARD_RATIOS, rng)
    if arm == "shuffled":
        order = rng.permutation(len(truth))
        truth[["time", "event"]] = truth[["time", "event"]].to_numpy()[order]
    return truth


def write_and_print(output: Path, rows: pd.DataFrame, settings: dict) -> None:
    names = ["last epoch", "best epoch (selected on these cases)", "tumour volume", "true risk"]
    summary = {
        arm: {name: mean_and_interval(part[name]) for name in names} for arm, part in rows.groupby("arm")
    }
    output.write_text(
        json.dumps(
            {"settings": settings, "summary": summary, "rows": rows.to_dict("records")}, indent=2, default=str
        )
    )
    for arm in ARMS:
        print(f"\n{arm}: mean C-index over {settings['seeds']} seeds, 95% interval of the mean")
        for name in names:
            mean, low, high = summary[arm][name]
            print(f"  {name:<40}{mean:.3f} [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    main()
