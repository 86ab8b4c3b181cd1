"""Training by Cox's partial likelihood: one loss of several processes, and the log hazards of the baseline."""

import multiprocessing

import pytest
import torch
from torch import Tensor, distributed, nn

from nnunetv2_adamss.survival.training_data.balanced_batches import places_of_rank
from nnunetv2_adamss.survival.training_data.case_data import Sample, SurvivalTargets
from nnunetv2_adamss.trainers import MDSNProxyTrainer
from nnunetv2_adamss.trainers.objectives.cox import Cox
from nnunetv2_adamss.trainers.ranks import Ranks
from nnunetv2_adamss.trainers.survival_trainer import SurvivalTrainer
from tests.networks.comparison.small_networks import make_network

BATCH_SIZE = 8
N_PROCESSES = 2


def cox_trainer(network: nn.Module) -> SurvivalTrainer:
    """What a step of the training needs, without nnU-Net's folders."""
    trainer = MDSNProxyTrainer.__new__(MDSNProxyTrainer)
    trainer.network, trainer.ranks = network, Ranks()
    trainer.device, trainer.is_ddp, trainer.grad_scaler = torch.device("cpu"), False, None
    trainer.objective = Cox(trainer)
    return trainer


def whole_batch() -> tuple[Tensor, SurvivalTargets]:
    """Features and outcomes, of which each half has an event that the other half is at risk for."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(BATCH_SIZE, 3, generator=generator)
    event = torch.tensor([1.0, 0, 1, 0, 1, 0, 1, 1])
    time = torch.tensor([3.0, 9, 5, 2, 1, 8, 3, 7])
    return features, SurvivalTargets(event[:, None], event[:, None], event, time)


def gradient_of_share(network: nn.Module, share: slice) -> tuple[float, Tensor]:
    trainer = cox_trainer(network)
    features, targets = whole_batch()
    loss = trainer.objective.batch_loss(
        network(features[share]), SurvivalTargets(*(t[share] for t in targets))
    )
    loss.backward()
    gradient = next(network.parameters()).grad
    assert gradient is not None
    return loss.item(), gradient


def linear() -> nn.Module:
    network = nn.Linear(3, 1)
    nn.init.constant_(network.weight, 0.3)
    return network


def in_process(rank: int, address: str, results: "multiprocessing.Queue[object]") -> None:
    distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=N_PROCESSES)
    places = places_of_rank(BATCH_SIZE, N_PROCESSES, rank)
    network = nn.parallel.DistributedDataParallel(linear())
    loss, gradient = gradient_of_share(network, slice(places.start, places.stop))
    results.put((loss, gradient.tolist()))
    distributed.destroy_process_group()


@pytest.mark.slow
def test_two_processes_have_loss_and_gradient_of_one_with_the_whole_batch(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    address = f"file://{tmp_path_factory.mktemp('cox') / 'address'}"
    results = torch.multiprocessing.get_context("spawn").SimpleQueue()
    torch.multiprocessing.spawn(in_process, (address, results), nprocs=N_PROCESSES)
    loss, gradient = gradient_of_share(linear(), slice(None))
    for _ in range(N_PROCESSES):
        found_loss, found_gradient = results.get()
        assert found_loss == pytest.approx(loss)
        torch.testing.assert_close(torch.tensor(found_gradient), gradient)


def test_scores_of_outputs_that_are_there_already_are_not_gathered_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer = cox_trainer(linear())
    features, targets = whole_batch()
    monkeypatch.setattr(Ranks, "gather_batch", lambda *args: pytest.fail("gathered"))
    assert trainer.objective.survival_loss(trainer.network(features), targets) > 0


@pytest.mark.parametrize(("n_gpus", "is_even"), [(1, True), (3, False), (4, True)])
def test_gpus_that_cannot_have_equal_shares_are_refused(n_gpus: int, is_even: bool) -> None:
    if is_even:
        MDSNProxyTrainer.check_shares(BATCH_SIZE, n_gpus)
        return
    with pytest.raises(ValueError, match="batch of 8 cannot be shared evenly by 3 GPUs"):
        MDSNProxyTrainer.check_shares(BATCH_SIZE, n_gpus)


def make_batch(number: int) -> Sample:
    generator = torch.Generator().manual_seed(number)
    targets = whole_batch()[1]
    return {
        "case_id": [f"{number}_{i}" for i in range(BATCH_SIZE)],
        "image": torch.randn((BATCH_SIZE, 2, 16, 16, 16), generator=generator),
        "valid": torch.ones(BATCH_SIZE, 1, 16, 16, 16),
        "covariates": torch.zeros(BATCH_SIZE, 0),
        "targets": targets,
    }


def test_the_last_16_steps_predict_their_batches_as_the_trained_network_does() -> None:
    network = make_network("mdsn_proxy")
    trainer = cox_trainer(network)
    trainer.optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    trainer.num_iterations_per_epoch = 18
    trainer.objective.start_epoch()
    network.train()
    for number in range(18):
        trainer.train_step(make_batch(number))
        assert all(module.training for module in network.modules())
    assert isinstance(trainer.objective, Cox)
    log_hazards = trainer.objective.log_hazards
    assert {case_id.split("_")[0] for case_id in log_hazards} == set(map(str, range(2, 18)))

    batch = make_batch(17)
    with torch.no_grad():
        expected = network.eval()(batch["image"], batch["valid"], batch["covariates"])[:, 0]
    found = [log_hazards[case_id] for case_id in batch["case_id"]]
    torch.testing.assert_close(torch.tensor(found), expected)
