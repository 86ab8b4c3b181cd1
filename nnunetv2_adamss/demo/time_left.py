"""Estimate the time left of a demo from the steps that are done and the typical duration of all steps."""

from collections.abc import Mapping, Sequence

from nnunetv2_adamss.demo.demo_steps import Step

# Seconds counted as done at the typical pace, so that the first steps, which are short, have little influence.
_SECONDS_AT_TYPICAL_PACE = 60.0


def seconds_left(steps: Sequence[Step], done: Mapping[str, float]) -> float:
    """Return the seconds that the remaining steps take at the pace of those that are done.

    Args:
        steps: all of them.
        done: duration of each step that is done, by its title.
    """
    took, typical = (
        _SECONDS_AT_TYPICAL_PACE + sum(values)
        for values in (done.values(), [step.seconds for step in steps if step.title in done])
    )
    return took / typical * sum(step.seconds for step in steps if step.title not in done)
