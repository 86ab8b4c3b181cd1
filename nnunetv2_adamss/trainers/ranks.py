"""The processes of one training, one a GPU: who takes which cases, and what they all have."""

from collections.abc import Sequence
from typing import Any

from nnunetv2.utilities.ddp_allgather import AllGatherGrad
from torch import Tensor, distributed


class Ranks:
    """One process among all that train together; alone unless torch.distributed is running."""

    def __init__(self) -> None:
        self._is_distributed = distributed.is_available() and distributed.is_initialized()

    @property
    def rank(self) -> int:
        """Number of this process, from 0."""
        return distributed.get_rank() if self._is_distributed else 0

    @property
    def count(self) -> int:
        """Number of processes."""
        return distributed.get_world_size() if self._is_distributed else 1

    def share(self, cases: Sequence[str]) -> list[str]:
        """The cases that this process takes."""
        return list(cases[self.rank :: self.count])

    def gather(self, own: dict[str, Any]) -> dict[str, Any]:
        """Values of all processes, in the order of the keys, so that all of them compute the same from it."""
        if self._is_distributed:
            of_all: list[Any] = [None] * self.count
            distributed.all_gather_object(of_all, own)
            own = {key: value for part in of_all for key, value in part.items()}
        return dict(sorted(own.items()))

    def gather_batch(self, own: Tensor) -> Tensor:
        """The whole batch ``(count * b, ...)`` of the equal shares ``(b, ...)`` of all processes, with its gradient.

        A loss that every process computes from all of it has the gradient that it has in one process: on the way
        back the gradients of all processes are summed, and DistributedDataParallel takes their mean.
        """
        if not self._is_distributed:
            return own
        whole: Tensor = AllGatherGrad.apply(own.contiguous()).flatten(0, 1)
        return whole

    def wait(self) -> None:
        """Until all processes are here."""
        if self._is_distributed:
            distributed.barrier()
