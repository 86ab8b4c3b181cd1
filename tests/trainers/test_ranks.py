"""Several processes: each case is taken once, and all have everything."""

import multiprocessing

import pytest
import torch.distributed
import torch.multiprocessing

from nnunetv2_adamss.trainers.ranks import Ranks

CASES = ["a", "b", "c", "d", "e"]


def test_a_process_alone_takes_all() -> None:
    ranks = Ranks()
    assert ranks.share(CASES) == CASES
    assert ranks.gather({"b": 1, "a": 2}) == {"a": 2, "b": 1}
    assert list(ranks.gather({"b": 1, "a": 2})) == ["a", "b"]
    ranks.wait()


def in_process(rank: int, n_processes: int, address: str, results: "multiprocessing.Queue[object]") -> None:
    torch.distributed.init_process_group("gloo", init_method=address, rank=rank, world_size=n_processes)
    ranks = Ranks()
    share = ranks.share(CASES)
    ranks.wait()
    results.put((rank, share, ranks.gather({case_id: rank for case_id in share})))
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("n_processes", [2, 3])
def test_processes_share_the_cases_and_gather_the_same_from_all(
    n_processes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    address = f"file://{tmp_path_factory.mktemp('ranks') / 'address'}"
    results = torch.multiprocessing.get_context("spawn").SimpleQueue()
    torch.multiprocessing.spawn(in_process, (n_processes, address, results), nprocs=n_processes)
    found = sorted(results.get() for _ in range(n_processes))
    assert sorted(case_id for _, share, _ in found for case_id in share) == CASES
    everything = {case_id: i % n_processes for i, case_id in enumerate(CASES)}
    assert all(gathered == everything and list(gathered) == CASES for _, _, gathered in found)
