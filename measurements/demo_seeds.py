"""Number of seeds in which the demo's network beats tumour volume and a Cox model on its covariates.

Cohort, trainers and settings are the demo's. A seed draws outcomes and the random numbers of Stage II; images, split
and the Stage-I network are the same for all, and this network was not trained on the validation images.

    python measurements/demo_seeds.py WORK_FOLDER -o FILE

Trainings that are finished are not repeated, so a killed run can be started again.
"""

import json
from concurrent.futures import as_completed
from typing import Any

import numpy as np
import pandas as pd
from phantom_project import Project, covariates_only_risk, predicted_risk
from simulation_study import study_parser, training_pool, tumour_sizes

from nnunetv2_adamss.common.files import write_atomically
from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig, log_hazard_ratios
from nnunetv2_adamss.demo.demo_steps import CENSORING, EFFECT, N_FOLDS, SIGNALS, SURVIVAL_TRAINER
from nnunetv2_adamss.metrics.concordance import harrell_c
from nnunetv2_adamss.metrics.volume_and_uptake import TUMOUR_VOLUME

ADAMSS, COX, VOLUME, TRUE_RISK = "AdaMSS", "Cox on the covariates", "tumour volume", "true risk"


def main() -> None:
    parser = study_parser(__doc__)
    parser.set_defaults(n=80)
    args = parser.parse_args()
    project = Project(args.work.resolve(), cohort(args.n), args.device, validation_share=1 / N_FOLDS)
    project.prepare(n_folds=args.seeds, one_split=True)
    project.extract_radiomics("predicted", "first_order")
    sizes = tumour_sizes(project)[TUMOUR_VOLUME]
    with training_pool(args.workers) as pool:
        tasks = [pool.submit(scores, project, seed, sizes) for seed in range(args.seeds)]
        for number, _ in enumerate(as_completed(tasks), start=1):
            print(f"{number} of {len(tasks)}", flush=True)
    rows = pd.DataFrame([task.result() for task in tasks])
    better = {name: int((rows[ADAMSS] > rows[name]).sum()) for name in (COX, VOLUME)}
    better["both"] = int((rows[ADAMSS] > rows[[COX, VOLUME]].max(axis=1)).sum())
    content = {
        "n": args.n,
        "better_in": better,
        "means": rows.mean().to_dict(),
        "rows": rows.to_dict("records"),
    }
    write_atomically(args.output, json.dumps(content, indent=2))
    print(rows.round(3).to_string(), f"\nAdaMSS is better in {better} of {len(rows)} seeds")


def cohort(n: int) -> PhantomCohortConfig:
    """Return the demo's cohort."""
    return PhantomCohortConfig(
        n_training=n, n_test=0, shape=(32, 32, 32), spacing_mm=(5, 5, 5), signals_on=SIGNALS,
        log_hazard_ratio=log_hazard_ratios(EFFECT), censoring_fraction=CENSORING, dataset_id=990,
    )  # fmt: skip


def scores(project: Project, seed: int, sizes: pd.Series) -> dict[str, Any]:
    """Return the C-index of the validation cases."""
    hazard = {name: project.config.log_hazard_ratio[name] for name in SIGNALS}
    truth, survival_csv = project.write_outcomes(f"outcomes/{seed}", hazard, np.random.default_rng(seed))
    settings = {"survival_csv": str(survival_csv), "seed": seed, "radiomics": "first_order"}
    validation = project.train_here(SURVIVAL_TRAINER, seed, settings) / "validation"
    risk = predicted_risk(validation / "survival_predictions.csv")
    cox = covariates_only_risk(validation)
    cases = truth.set_index("case_id").loc[risk.index]
    event, time = cases["event"].to_numpy(dtype=bool), cases["time"].to_numpy()
    risks = {ADAMSS: risk, COX: cox, VOLUME: sizes, TRUE_RISK: cases["true_risk"]}
    found = {
        name: harrell_c(of_method[risk.index].to_numpy(), event, time).c_index
        for name, of_method in risks.items()
    }
    times = pd.read_csv(validation / "survival_predictions.csv")["predicted_time"]
    shortest, longest = float(times.min()), float(times.max())
    return {"events": int(event.sum()), **found, "shortest predicted time": shortest, "longest": longest}


if __name__ == "__main__":
    main()
