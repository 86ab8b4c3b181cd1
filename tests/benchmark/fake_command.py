"""Stands for every command that a benchmark runs: writes what that command would leave, and nothing else.

Knobs lie beside this file: ``fail``, ``fail_in_part`` and ``sleep`` name commands or trainers, one a line; ``calls``
gets a line a call.
"""

import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path

from nnunetv2_adamss.methods.table import STATISTICAL, results_name

HERE = Path(__file__).parent


def option(name: str, default: str = "") -> str:
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def listed_in(file: str) -> bool:
    knobs = (HERE / file).read_text().split() if (HERE / file).is_file() else []
    return any(word in knobs for word in (COMMAND, *sys.argv))


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def fold_folder(trainer: str) -> Path:
    dataset, configuration, fold = sys.argv[1:4]
    name = f"{trainer}__nnUNetPlans__{configuration}"
    return Path(os.environ["nnUNet_results"], dataset, name, f"fold_{fold}")


def segment() -> None:
    folder = fold_folder(option("-tr"))
    write(folder / "checkpoint_best.pth", "")
    pause()
    masks = Path(os.environ["nnUNet_preprocessed"], sys.argv[1], "gt_segmentations")
    shutil.copytree(masks, folder / "stage1_masks", dirs_exist_ok=True)
    write(folder / "checkpoint_final.pth", "")
    cases = [{"prediction_file": f"{case_id}.nii.gz"} for case_id in validation_cases()]
    write(folder / "validation" / "summary.json", json.dumps({"metric_per_case": cases}))


def extract() -> None:
    if "-i" in sys.argv:
        for ending in (".csv", ".json"):
            write(Path(option("-o")).with_suffix(ending), "")
        return
    source = option("--mask_source", "predicted") + "_without_mirroring" * ("--disable_tta" in sys.argv)
    for ending in ("csv", "json"):
        write(fold_folder(option("-seg_tr")) / f"radiomics_{source}.{ending}", "")


def train() -> None:
    folder = fold_folder(option("-tr"))
    write(folder / "checkpoint_latest.pth", "")
    pause()
    leave_predictions(folder, option("-tr"))


def fit() -> None:
    by_folder = {method.statistical_fit.folder: name for name, method in STATISTICAL.items()}
    name = results_name(by_folder[option("-tr")], option("--deep_trainer") or None)
    leave_predictions(fold_folder(name), name)


def leave_predictions(folder: Path, trainer: str) -> None:
    """Case 0 has the first event: the highest risk is right, and the other way round for SUVmax."""
    sign = 1 if trainer == "SUVmax" else -1
    rows = [f"{case_id},{sign * int(case_id[-2:])}" for case_id in validation_cases()]
    write(folder / "validation" / "survival_predictions.csv", "\n".join(["case_id,risk_score", *rows]))
    outcomes = Path(os.environ["nnUNet_raw"], sys.argv[1], "survival.csv")
    settings = {
        "seg_trainer": option("-seg_tr"),
        "seg_checkpoint": option("-seg_chk", "checkpoint_best.pth"),
        "mask_source": option("--mask_source", "predicted"),
        "masks_dir": None,
        "mirroring": "--disable_tta" not in sys.argv,
        "seed": int(option("--seed")),
    }
    summary = {
        "sources_sha256": {
            f"{kind} ({file.name})": sha256_of(file)
            for kind, file in (("outcomes", outcomes), ("description", outcomes.with_suffix(".json")))
            if file.is_file()
        },
        "settings": settings,
        "training": {"seconds": 120.0, "parameters": 7},
        "predictions_from": "last",
        "c_index": {"last": {"selected_on_this_fold": False}},
    }
    checkpoint = fold_folder(option("-seg_tr")) / settings["seg_checkpoint"]
    if checkpoint.is_file():
        summary["sources_sha256"]["Stage-I weights"] = sha256_of(checkpoint)
    write(folder / "survival_summary.json", json.dumps(summary))


def sha256_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def validation_cases() -> list[str]:
    splits = json.loads(Path(os.environ["nnUNet_preprocessed"], sys.argv[1], "splits_final.json").read_text())
    return splits[int(sys.argv[3])]["val"]


def predict() -> None:
    """Every second patient is taken for the one before."""
    output = Path(option("-o"))
    raw = Path(option("-i") or option("--clinical")).parent
    masks = sorted((raw / "labelsTr").iterdir())
    rows = [f"{mask.name[:-7]},{-(place // 2)}" for place, mask in enumerate(masks)]
    table = "\n".join(["case_id,risk_score", *rows])
    if output.suffix == ".csv":
        write(output, table)
        return
    shutil.copytree(masks[0].parent, output / "masks", dirs_exist_ok=True)
    write(output / "survival_predictions.csv", table)
    write(output / "prediction.json", "{}")


def explain() -> None:
    table = "encoder_stage,stage_one,stage_two\n1,0.5,0.25\n2,0.4,0.75\n"
    write(Path(option("-o")) / "gate_weights.csv", table)


def pause() -> None:
    """Until the knob ``go`` is there."""
    while listed_in("sleep") and not (HERE / "go").exists():
        time.sleep(0.02)


COMMAND = Path(sys.argv[1]).name
del sys.argv[1]
if __name__ == "__main__":
    with (HERE / "calls").open("a") as calls:
        gpu = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        calls.write(f"{' '.join([COMMAND, *sys.argv[1:]])} gpu={gpu} pid={os.getpid()}\n")
    if listed_in("fail_in_part"):
        predict()
        sys.exit(1)
    if listed_in("fail"):
        print("first line\nthis went wrong")
        sys.exit(3)
    {
        "nnUNetv2_train": segment,
        "adamss_extract_radiomics": extract,
        "adamss_finetune_survival": train,
        "adamss_fit_statistical": fit,
        "adamss_explain": explain,
        "adamss_predict_survival": predict,
        "adamss_predict_statistical": predict,
    }[COMMAND]()
