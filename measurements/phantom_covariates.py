"""Benefit of radiomics and clinical indicators: Stage II with and without them, beside a Cox model on them alone.

One cohort of phantoms with all seven signals in the hazard, one Stage-I training, one extraction of radiomics from its
masks. Each seed then draws its own outcomes, split, head and batches, and trains on them:

- full: image, radiomics and clinical columns (age, HPV);
- image only; with --all_variants also without radiomics, and without clinical columns.

    python measurements/phantom_covariates.py WORK_FOLDER -o measurements/results/phantom_covariates.json

Trainings that are finished are not repeated, so a killed run can be started again, also with more seeds.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from phantom_project import SURVIVAL_TRAINER, Project, mean_and_interval, predicted_risk

from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig
from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.metrics.volume_and_uptake import suv_max, tumour_volume_ml
from nnunetv2_adamss.prediction.calibrate_model import calibrate_predictions

VARIANTS = {"full": SURVIVAL_TRAINER, "image only": f"{SURVIVAL_TRAINER}_ImageOnly"}
MORE_VARIANTS = {
    "no radiomics": f"{SURVIVAL_TRAINER}_NoRadiomics",
    "no clinical": f"{SURVIVAL_TRAINER}_NoClinical",
}
COVARIATES_ONLY = "Cox on covariates alone"
BASELINES = ("tumour volume", "SUVmax", "true risk")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("-n", type=int, default=120, help="phantoms (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=5, help="(default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=10, help="of 40 iterations (default: %(default)s)")
    parser.add_argument("--all_variants", action="store_true", help="twice as many trainings")
    parser.add_argument("-device", default="cpu", choices=["cpu", "cuda"])
    args = parser.parse_args()

    config = PhantomCohortConfig(
        n_training=args.n, n_test=0, shape=(32, 32, 32), spacing_mm=(5, 5, 5), dataset_id=996
    )
    project = Project(args.work.resolve(), config, args.device)
    project.check_settings({"n": args.n, "epochs": args.epochs})
    project.prepare(n_folds=args.seeds, radiomics=True)
    variants = VARIANTS | (MORE_VARIANTS if args.all_variants else {})
    rows = []
    for seed in range(args.seeds):
        rows += results(project, seed, args.epochs, variants)
        print(pd.DataFrame(rows).tail(1).T, flush=True)
    settings = {name: value for name, value in vars(args).items() if name not in ("work", "output")}
    write_and_print(args.output, pd.DataFrame(rows), settings)


def results(project: Project, seed: int, epochs: int, variants: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return C-indices of the validation cases of one seed, of these variants and of the baselines."""
    rng = np.random.default_rng([seed, 11])
    truth, survival_csv = project.write_outcomes(f"outcomes_{seed}", project.config.log_hazard_ratio, rng)
    options = ("--survival_csv", str(survival_csv), "--seed", str(seed), "--epochs", str(epochs))
    risks = {}
    inputs: list[str] = []
    for name, trainer in variants.items():
        folder = project.train(trainer, seed, *options)
        risks[name] = predicted_risk(folder / "validation" / "survival_predictions.csv")
        if name == "full":
            folder_of_full = folder
            inputs = json.loads((folder / "survival_summary.json").read_text())["covariates"]["inputs"]
            cox_file = folder / "validation" / "covariates_only_cox_predictions.csv"
            if cox_file.is_file():
                risks[COVARIATES_ONLY] = predicted_risk(cox_file)
    cases = truth.set_index("case_id").loc[risks["full"].index]
    masks = {case_id: project.raw / "labelsTr" / f"{case_id}.nii.gz" for case_id in cases.index}
    pets = {case_id: project.raw / "imagesTr" / f"{case_id}_0001.nii.gz" for case_id in cases.index}
    risks["tumour volume"] = pd.Series({c: tumour_volume_ml(mask) for c, mask in masks.items()})
    risks["SUVmax"] = pd.Series({c: suv_max(pets[c], mask) for c, mask in masks.items()})
    risks["true risk"] = cases["true_risk"]
    event, time = cases["event"].to_numpy(dtype=bool), cases["time"].to_numpy()
    scores = {
        name: harrell_c(risk.loc[cases.index].to_numpy(), event, time).c_index for name, risk in risks.items()
    }
    predictions = folder_of_full / "validation" / "survival_predictions.csv"
    check = calibrate_predictions(predictions, survival_csv, survival_csv.with_name("calibration.json"))
    gaps = {
        f"largest gap to Kaplan-Meier, {name}": float(np.nanmax(np.abs(mean - check.observed)))
        for name, mean in (("predicted", check.before), ("calibrated", check.after))
    }
    return [{"seed": seed, "events": int(event.sum()), "inputs": ", ".join(inputs), **gaps, **scores}]


def write_and_print(output: Path, rows: pd.DataFrame, settings: dict) -> None:
    names = [name for name in rows if name in (*VARIANTS, *MORE_VARIANTS, COVARIATES_ONLY, *BASELINES)]
    summary: dict[str, Any] = {name: mean_and_interval(rows[name].dropna()) for name in names}
    others = [
        name for name in (*VARIANTS, *MORE_VARIANTS, COVARIATES_ONLY) if name != "full" and name in rows
    ]
    gains = {f"full less {name}": mean_and_interval((rows["full"] - rows[name]).dropna()) for name in others}
    content = {
        "settings": settings,
        "summary": summary,
        "differences": gains,
        "rows": rows.to_dict("records"),
    }
    output.write_text(json.dumps(content, indent=2, default=str))
    print(f"\nmean C-index over {len(rows)} seeds, 95% interval of the mean")
    for name, (mean, low, high) in {**summary, **gains}.items():
        print(f"  {name:<34}{mean:+.3f} [{low:+.3f}, {high:+.3f}]")


if __name__ == "__main__":
    main()
