"""An estimate of how long a demo still takes, from the steps that are done and what all steps typically take."""

from collections.abc import Mapping, Sequence

from nnunetv2_adamss.demo.demo_steps import Step

# Counted as done at the typical pace, so that the first steps, which are short, decide little.
_SECONDS_AT_TYPICAL_PACE = 60.0


def seconds_left(steps: Sequence[Step], done: Mapping[str, float]) -> float:
    """Seconds that the remaining steps take at the pace of those that are done.

    Args:
        steps: all of them.
        done: duration of each step that is done, by its title.
    """
    took, typical = (
        _SECONDS_AT_TYPICAL_PACE + sum(values)
        for values in (done.values(), [step.seconds for step in steps if step.title in done])
    )
    return took / typical * sum(step.seconds for step in steps if step.title not in done)
