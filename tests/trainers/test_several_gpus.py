"""What several GPUs do together, on two processes without GPUs: torch's gloo in the place of NCCL."""

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from nnunetv2.training.nnUNetTrainer import nnUNetTrainer as nnunet_module
from torch import distributed

from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.tumour_region import stage_one_masks
from tests.nnunet_project import NnunetProject, read_plans
from tests.survival_project import DATASET, dataset_json, splits, write_stage_one
from tests.trainers.short_trainers import adamss_test_survival_trainers as short_trainers

pytestmark = pytest.mark.slow

N_PROCESSES = 2


def train_on_one_rank(
    rank: int, trainer_name: str, project: NnunetProject, environment: dict[str, str], exchange: Path
) -> None:
    os.environ.update(environment)
    # One thread a process; two would fight over the cores.
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{exchange / 'address'}", rank=rank, world_size=N_PROCESSES
    )
    # Synchronised batch normalisation and device numbers exist on GPUs only.
    nnunet_module.DDP = lambda network, device_ids: torch.nn.parallel.DistributedDataParallel(network)
    torch.nn.SyncBatchNorm.convert_sync_batchnorm = staticmethod(lambda network: network)  # type: ignore[method-assign]
    trainer = getattr(short_trainers, trainer_name)(
        read_plans(project, DATASET), "3d_fullres", 0, dataset_json(project), torch.device("cpu")
    )
    trainer.device, trainer.grad_scaler = torch.device("cpu"), None
    if rank == 0:
        SurvivalConfig(mirroring=False).save(Path(trainer.output_folder))
    distributed.barrier()
    seen, predicted = [], []
    train_step, export = trainer.train_step, stage_one_masks.export_prediction_from_logits

    def recorded_step(batch: dict[str, Any]) -> dict[str, Any]:
        seen.append(batch["case_id"])
        return train_step(batch)

    def recorded_export(*args: Any, **options: Any) -> None:
        predicted.append(Path(args[5]).name)
        export(*args, **options)

    trainer.train_step = recorded_step  # type: ignore[method-assign]
    stage_one_masks.export_prediction_from_logits = recorded_export
    trainer.run_training()
    trainer.perform_actual_validation()
    result = {
        "seen": seen,
        "predicted": predicted,
        "c_index": trainer.logger.get_value("val_c_index", step=None),
        "val_losses": trainer.logger.get_value("val_losses", step=None),
        "train_losses": [float(loss) for loss in trainer.logger.get_value("train_losses", step=None)],
        "weights": sum(float(p.double().abs().sum()) for p in trainer.network.parameters()),
        "baseline": getattr(trainer.bare_network, "baseline_hazard", torch.zeros(0)).tolist(),
    }
    (exchange / f"rank_{rank}.json").write_text(json.dumps(result))
    distributed.destroy_process_group()


def train_on_two(
    trainer_name: str, project: NnunetProject, exchange: Path, monkeypatch: pytest.MonkeyPatch
) -> list[dict[str, Any]]:
    """What both processes have at the end, which must be the same where both have it."""
    environment = project.environment | {
        "nnUNet_results": str(exchange / "results"), "nnUNet_n_proc_DA": "0", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    write_stage_one(project)
    torch.multiprocessing.spawn(
        train_on_one_rank, (trainer_name, project, environment, exchange), nprocs=N_PROCESSES
    )
    ranks = [json.loads((exchange / f"rank_{rank}.json").read_text()) for rank in range(N_PROCESSES)]
    for name in ("c_index", "val_losses", "train_losses", "weights", "baseline"):
        assert ranks[0][name] == pytest.approx(ranks[1][name], rel=1e-6)
    predictions = next((exchange / "results").rglob("survival_predictions.csv"))
    assert sorted(pd.read_csv(predictions)["case_id"]) == splits(project)[0]["val"]
    return ranks


def test_two_processes_share_masks_batches_and_validation_and_end_with_the_same_network(
    survival_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranks = train_on_two("AdaMSSSurvTrainer_TwoIterations", survival_project, tmp_path, monkeypatch)
    split = splits(survival_project)[0]
    predicted = [set(rank["predicted"]) for rank in ranks]
    assert predicted[0] | predicted[1] == {*split["train"], *split["val"]}
    assert not predicted[0] & predicted[1]

    outcomes = pd.read_csv(survival_project.raw / DATASET / "survival.csv", index_col="case_id")["event"]
    for rank, is_event in zip(ranks, (1, 0), strict=True):
        drawn = [case_id for batch in rank["seen"] for case_id in batch]
        assert len(drawn) == 6
        assert outcomes[drawn].eq(is_event).all()


def test_two_processes_with_coxs_loss_end_with_the_same_network_and_baseline(
    survival_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranks = train_on_two("MDSNProxyTrainer_TwoIterations", survival_project, tmp_path, monkeypatch)
    assert sum(ranks[0]["baseline"]) > 0
