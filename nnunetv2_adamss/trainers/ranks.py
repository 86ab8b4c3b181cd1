"""The processes of one training, one a GPU: sharing of cases, and gathering of results."""

from collections.abc import Sequence
from typing import Any

from nnunetv2.utilities.ddp_allgather import AllGatherGrad
from torch import Tensor, distributed


class Ranks:
    """One of the processes that train together; the only one unless torch.distributed is running."""

    def __init__(self) -> None:
        self._is_distributed = distributed.is_available() and distributed.is_initialized()

    @property
    def rank(self) -> int:
        """Number of this process, from 0."""
        return distributed.get_rank() if self._is_distributed else 0

    @property
    def count(self) -> int:
        """Number of processes that train together."""
        return distributed.get_world_size() if self._is_distributed else 1

    def share(self, cases: Sequence[str]) -> list[str]:
        """Choose the cases that this process takes."""
        return list(cases[self.rank :: self.count])

    def gather(self, own: dict[str, Any]) -> dict[str, Any]:
        """Gather the values of all processes, sorted by key, so that all processes compute the same from them."""
        if self._is_distributed:
            of_all: list[Any] = [None] * self.count
            distributed.all_gather_object(of_all, own)
            own = {key: value for part in of_all for key, value in part.items()}
        return dict(sorted(own.items()))

    def gather_batch(self, own: Tensor) -> Tensor:
        """Gather the whole batch ``(count * b, ...)`` from equal shares ``(b, ...)`` of all processes, with gradient.

        A loss that every process computes from the whole batch has the same gradient as in one process: the backward
        pass sums the gradients of all processes, and DistributedDataParallel takes their mean.
        """
        if not self._is_distributed:
            return own
        whole: Tensor = AllGatherGrad.apply(own.contiguous()).flatten(0, 1)
        return whole

    def wait(self) -> None:
        """Wait until all processes have called this."""
        if self._is_distributed:
            distributed.barrier()
