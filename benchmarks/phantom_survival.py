"""Stage II on synthetic patients whose risk lies outside the tumour, beside tumour volume, and on shuffled outcomes.

One cohort of phantoms, one Stage-I training. Each seed then draws outcomes, a split, a head and batches of its own:

- arm "outside": the hazard follows a ring of muscle uptake in PET and a pattern in CT, both outside every mask;
- arm "shuffled": the same outcomes, given to the wrong patients, so nothing can be found.

    python benchmarks/phantom_survival.py WORK_FOLDER -o benchmarks/results/phantom_survival.json

Trainings that are finished are not repeated, so a killed run can be started again; with the same settings only.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig, write_phantom_dataset
from nnunetv2_adamss.datasets.phantom.outcomes import (
    censoring_scale,
    linear_predictor,
    observe,
    weibull_times,
)
from nnunetv2_adamss.datasets.phantom.signals import SIGNALS
from nnunetv2_adamss.evaluation.baselines import tumour_volume_ml
from nnunetv2_adamss.evaluation.concordance import harrell_c

SIGNALS_ON = ("out_of_tumour_uptake", "ct_only_pattern")
LOG_HAZARD_RATIO = 1.2
STAGE_ONE, STAGE_TWO = "AdaMSSSegTrainer_ShortSchedule", "AdaMSSSurvTrainer_ShortSchedule_ImageOnly"
ARMS = ("outside", "shuffled")
VALIDATION_SHARE = 0.4


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
        signals_on=SIGNALS_ON,
        dataset_id=995,
    )
    project = Project(args.work.resolve(), config, args.device)
    project.check_settings({"n": args.n, "seeds": args.seeds, "epochs": args.epochs})
    project.prepare(n_folds=len(ARMS) * args.seeds)
    rows = []
    for seed in range(args.seeds):
        for i, arm in enumerate(ARMS):
            rows.append(project.result(arm, seed, fold=len(ARMS) * seed + i, epochs=args.epochs))
            print(rows[-1], flush=True)
    write_and_print(args.output, pd.DataFrame(rows), vars(args))


class Project:
    """nnU-Net's three folders with one cohort of phantoms."""

    def __init__(self, root: Path, config: PhantomCohortConfig, device: str) -> None:
        self.root, self.config, self.device = root, config, device
        self.raw = root / "raw" / config.folder_name
        self.preprocessed = root / "preprocessed" / config.folder_name
        self.results = root / "results" / config.folder_name

    def check_settings(self, settings: dict) -> None:
        """Stop if the work folder holds trainings with other settings."""
        self.root.mkdir(parents=True, exist_ok=True)
        file = self.root / "settings.json"
        if file.is_file() and json.loads(file.read_text()) != settings:
            raise SystemExit(f"{self.root} was begun with {file.read_text()}; choose another work folder.")
        file.write_text(json.dumps(settings))

    def prepare(self, n_folds: int) -> None:
        """Phantoms, nnU-Net's plan, one random split a fold, and one Stage-I network that all folds share."""
        if not self.raw.is_dir():
            write_phantom_dataset(self.config, self.raw.parent)
        if not (self.preprocessed / "nnUNetPlans_3d_fullres").is_dir():
            self.run("nnUNetv2_plan_and_preprocess", "-d", "995", "-c", "3d_fullres", "-np", "2")
        cases = pd.read_csv(self.raw / "survival.csv")["case_id"].to_numpy()
        n_validation = round(VALIDATION_SHARE * len(cases))
        orders = [np.random.default_rng(fold).permutation(cases) for fold in range(n_folds)]
        splits = [{"train": sorted(o[n_validation:]), "val": sorted(o[:n_validation])} for o in orders]
        (self.preprocessed / "splits_final.json").write_text(json.dumps(splits))
        stage_one = self.results / f"{STAGE_ONE}__nnUNetPlans__3d_fullres"
        if not (stage_one / "fold_0" / "checkpoint_final.pth").is_file():
            self.run(
                "nnUNetv2_train", "995", "3d_fullres", "0", "-tr", STAGE_ONE, "-device", self.device,
                *self.continuing(stage_one / "fold_0"),
            )  # fmt: skip
        for fold in range(1, n_folds):
            shutil.copytree(stage_one / "fold_0", stage_one / f"fold_{fold}", dirs_exist_ok=True)

    def result(self, arm: str, seed: int, fold: int, epochs: int) -> dict:
        """C-indices of the validation cases in one training."""
        table = self.outcomes(arm, seed)
        file = self.root / f"survival_{arm}_{seed}.csv"
        table[["case_id", "time", "event"]].to_csv(file, index=False)
        folder = self.results / f"{STAGE_TWO}__nnUNetPlans__3d_fullres" / f"fold_{fold}"
        if not (folder / "survival_summary.json").is_file():
            self.run(
                "adamss_finetune_survival", "995", "3d_fullres", str(fold), "-tr", STAGE_TWO, "-seg_tr", STAGE_ONE,
                "-device", self.device, "--survival_csv", str(file), "--seed", str(seed), "--epochs", str(epochs),
                *self.continuing(folder),
            )  # fmt: skip
        predictions = pd.read_csv(folder / "validation" / "survival_predictions.csv")
        best = json.loads((folder / "survival_summary.json").read_text())["c_index"]["best"]["c_index"]
        cases = table.set_index("case_id").loc[predictions["case_id"]]
        volume = [tumour_volume_ml(self.raw / "labelsTr" / f"{case_id}.nii.gz") for case_id in cases.index]
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

    def outcomes(self, arm: str, seed: int) -> pd.DataFrame:
        """Times and events drawn anew; in arm "shuffled" they then change patients."""
        truth = pd.read_csv(self.raw / "phantom_truth.csv")
        truth["true_risk"] = linear_predictor(
            truth[list(SIGNALS)], dict.fromkeys(SIGNALS_ON, LOG_HAZARD_RATIO), SIGNALS_ON
        )
        rng = np.random.default_rng([seed, 7])
        times = weibull_times(
            truth["true_risk"].to_numpy(), 1 - rng.random(len(truth)), self.config.weibull_shape, 1500
        )
        censoring = rng.uniform(0.15, 1, len(truth))
        scale = censoring_scale(times, censoring, self.config.censoring_fraction)
        truth["event"], truth["time"] = observe(times, scale * censoring)
        if arm == "shuffled":
            order = rng.permutation(len(truth))
            truth[["time", "event"]] = truth[["time", "event"]].to_numpy()[order]
        return truth.astype({"event": int})

    @staticmethod
    def continuing(fold: Path) -> list[str]:
        """The option that goes on with a training that was stopped after its first checkpoint."""
        return ["--c"] if any(fold.glob("checkpoint_*.pth")) else []

    def run(self, command: str, *arguments: str) -> None:
        folders = {f"nnUNet_{name}": str(self.root / name) for name in ("raw", "preprocessed", "results")}
        program = str(Path(sys.executable).parent / command)
        with (self.root / "commands.log").open("a") as log:
            subprocess.run(
                [program, *arguments], env={**os.environ, **folders}, check=True, stdout=log, stderr=log
            )


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


def mean_and_interval(values: pd.Series) -> list[float]:
    """Mean over seeds with the 95% interval of Student's t."""
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), values.sem())
    return [float(values.mean()), float(low), float(high)]


if __name__ == "__main__":
    main()
