"""A dozen phantoms with outcomes, planned by nnU-Net, and a Stage-I network with initial weights."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from nnunetv2_adamss.datasets.phantom import PhantomCohortConfig, write_phantom_dataset
from nnunetv2_adamss.trainers import AdaMSSSegTrainer
from tests.nnunet_project import NnunetProject, read_plans
from tests.planning import plan_and_preprocess

DATASET = "Dataset902_Phantoms"
N_CASES = 12


def make_survival_project(root: Path) -> None:
    """Write, plan and preprocess the phantoms, and split them into three folds of 8 and 4 cases."""
    project = NnunetProject(root)
    config = PhantomCohortConfig(
        n_training=N_CASES, n_test=0, shape=(32, 32, 32), spacing_mm=(5, 5, 5), dataset_id=902,
        dataset_name="Phantoms", censoring_fraction=0.5,
    )  # fmt: skip
    write_phantom_dataset(config, project.raw)
    plan_and_preprocess(project, 902, "3d_fullres")
    (project.preprocessed / DATASET / "splits_final.json").write_text(json.dumps(splits(project)))


def splits(project: NnunetProject) -> list[dict[str, list[str]]]:
    """Three folds, events spread over all of them."""
    table = pd.read_csv(survival_csv(project)).sort_values(["event", "case_id"])
    parts = [sorted(table["case_id"][i::3]) for i in range(3)]
    return [{"train": sorted(table["case_id"][~table["case_id"].isin(p)]), "val": p} for p in parts]


def survival_csv(project: NnunetProject) -> Path:
    return project.raw / DATASET / "survival.csv"


def dataset_json(project: NnunetProject) -> dict[str, Any]:
    description: dict[str, Any] = json.loads((project.preprocessed / DATASET / "dataset.json").read_text())
    return description


def write_stage_one(
    project: NnunetProject,
    fold: int | str = 0,
    trainer_class: type[AdaMSSSegTrainer] = AdaMSSSegTrainer,
    **changes: Any,
) -> Path:
    """A complete Stage-I fold with initial weights, as a training leaves it; returns its folder."""
    plans = read_plans(project, DATASET)
    description = dataset_json(project) | changes
    trainer = trainer_class(plans, "3d_fullres", fold, description, torch.device("cpu"))
    # Folds that were trained differ; these do so by their initial weights.
    trainer.initialisation_seed += fold if isinstance(fold, int) else 0
    trainer.initialize()
    _settle_batch_normalisation(trainer)
    folder = Path(trainer.output_folder)
    for name, content in (("plans", trainer.plans_manager.plans), ("dataset", trainer.dataset_json)):
        (folder.parent / f"{name}.json").write_text(json.dumps(content))
    trainer.save_checkpoint(str(folder / "checkpoint_best.pth"))
    return folder


def _settle_batch_normalisation(trainer: AdaMSSSegTrainer) -> None:
    """Give the network running statistics of the data; with initial ones its outputs saturate."""
    norms = [m for m in trainer.network.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.momentum = None  # the plain mean over what it sees
    dataset = trainer.dataset_class(trainer.preprocessed_dataset_folder)
    with torch.no_grad():
        trainer.network(
            torch.stack([torch.from_numpy(dataset.load_case(c)[0][:]) for c in dataset.identifiers[:2]])
        )
    for norm in norms:
        norm.momentum = 0.1
