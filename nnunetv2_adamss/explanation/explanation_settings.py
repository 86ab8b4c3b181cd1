"""Settings of an explanation: the maps to make, and the cases with maps."""

from collections.abc import Sequence
from dataclasses import dataclass

from nnunetv2_adamss.common.messages import listed


@dataclass(frozen=True)
class ExplanationSettings:
    """Choice of maps and of cases.

    Args:
        cases: with maps; default the first ``max_cases``.
        max_cases: number of cases with maps if ``cases`` is not given.
        all_levels: attention maps of every decoder level as NIfTI, not only of the finest.
        occlusion: whether to make occlusion maps.
        occlusion_mm: side of a blanked block.
        occlusion_step_mm: distance from one block to the next; default a block's side.
        occlude_channel: the one modality that blocks blank; default all.

    Raises:
        ValueError: for a value that is not allowed, naming all that are.
    """

    cases: tuple[str, ...] = ()
    max_cases: int = 10
    all_levels: bool = False
    occlusion: bool = True
    occlusion_mm: float = 20.0
    occlusion_step_mm: float | None = None
    occlude_channel: str | None = None

    def __post_init__(self) -> None:
        faults = []
        if self.max_cases < 0:
            faults.append(f"--max_cases is {self.max_cases}, but must be at least 0")
        if self.occlusion_mm <= 0:
            faults.append(f"--occlusion_mm is {self.occlusion_mm:g}, but must be above 0")
        if not 0 < self.step_mm <= self.occlusion_mm:
            faults.append(
                f"--occlusion_step_mm is {self.step_mm:g}, but must be above 0 and not above --occlusion_mm"
            )
        if faults:
            raise ValueError("; ".join(faults) + ".")

    @property
    def step_mm(self) -> float:
        """Distance from one block to the next."""
        return self.occlusion_mm if self.occlusion_step_mm is None else self.occlusion_step_mm

    def cases_with_maps(self, case_ids: Sequence[str]) -> list[str]:
        """Return the cases of a fold that get maps.

        Raises:
            ValueError: naming requested cases that are not in the fold.
        """
        unknown = [case_id for case_id in self.cases if case_id not in case_ids]
        if unknown:
            raise ValueError(
                f"{len(unknown)} of the cases after --cases are not among the {len(case_ids)} of the fold: "
                f"{listed(unknown)}. There are {listed(case_ids)}."
            )
        return list(dict.fromkeys(self.cases)) or list(case_ids[: self.max_cases])

    def blanked_channels(self, channels: Sequence[str]) -> list[int]:
        """Return the indices of the modalities that blocks blank.

        Raises:
            ValueError: if the modality does not exist.
        """
        if self.occlude_channel is None:
            return list(range(len(channels)))
        if self.occlude_channel not in channels:
            raise ValueError(
                f"There is no channel '{self.occlude_channel}' (--occlude_channel), only {listed(channels)}."
            )
        return [channels.index(self.occlude_channel)]
