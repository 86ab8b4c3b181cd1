"""The planned steps of a benchmark, each of them once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from nnunetv2_adamss.benchmark.benchmark_settings import BenchmarkSettings
from nnunetv2_adamss.benchmark.folders import BenchmarkFolders
from nnunetv2_adamss.benchmark.records import has_failed_in_part, record_file
from nnunetv2_adamss.benchmark.steps import Step, file_name_of
from nnunetv2_adamss.common.mask_flags import MASK_FLAGS
from nnunetv2_adamss.survival.nnunet_data.dataset import RESULTS


@dataclass(frozen=True)
class StepBook:
    """Steps in an order in which they can be done.

    Args:
        folders: of the benchmark.
        device: for ``-device``.
        made: steps by name.
        results: names of those that the tables need.
    """

    folders: BenchmarkFolders
    device: str
    made: dict[str, Step] = field(default_factory=dict)
    results: set[str] = field(default_factory=set)

    def add(
        self,
        seed: int,
        name: str,
        command: Sequence[str],
        evidence: Sequence[Path],
        made_from: Iterable[Step],
        *,
        may_fail_in_part: bool = False,
        **options: Any,
    ) -> Step:
        """Add a step, or return the present one of the same name.

        Args:
            seed: of the trainings.
            name: without the seed.
            command: as a user would type it.
            evidence: as in ``Step``.
            made_from: steps whose results it starts from.
            may_fail_in_part: whether an attempt that failed for single patients leaves all files, but is repeated.
            options: other attributes of ``Step``.
        """
        environment = {}
        full_name = name
        if not self.folders.is_first(seed):
            full_name = f"seed {seed}: {name}"
            environment = {RESULTS: str(self.folders.own_results(seed))}
        has_failed: Callable[[], bool] = bool
        if may_fail_in_part:
            record = record_file(self.folders.output, file_name_of(full_name))
            has_failed = partial(has_failed_in_part, record, tuple(evidence))
        step = Step(
            full_name, tuple(command), tuple(evidence), tuple(made_from), environment=environment,
            has_failed_in_part=has_failed, **options,
        )  # fmt: skip
        return self.made.setdefault(full_name, step)

    def steps(self) -> list[Step]:
        """Return all steps, with the results marked."""
        return [replace(step, is_result=step.name in self.results) for step in self.made.values()]

    @property
    def settings(self) -> BenchmarkSettings:
        """Settings of the benchmark that these steps belong to."""
        return self.folders.settings

    @property
    def on_device(self) -> list[str]:
        """The ``-device`` option, as all commands take it."""
        return ["-device", self.device]


def mask_options(settings: Mapping[str, Any]) -> list[str]:
    """Return the command-line options of ``SurvivalConfig``'s settings about masks.

    Args:
        settings: given ones, by name.
    """
    options = []
    for name, value in settings.items():
        if name == "mirroring":
            options += [] if value else [MASK_FLAGS[name]]
        elif name != "mask_source" or value != "folder":  # implied by --masks
            options += [MASK_FLAGS[name], str(value)]
    return options
