"""Which steps are done, outdated or needed, from files and their times."""

import os
from pathlib import Path

from nnunetv2_adamss.benchmark.steps import Step, needed_steps


def test_only_what_is_needed_by_unfinished_results_is_needed(tmp_path: Path) -> None:
    def step(name: str, *needs: Step, is_result: bool = False) -> Step:
        return Step(name, (), (tmp_path / name,), needs, is_result=is_result)

    of_done, of_both = step("of done"), step("of both")
    of_left = step("of left", of_both)
    steps = [
        step("unused"), of_done, of_both, of_left,
        step("done", of_done, of_both, is_result=True), step("left", of_left, is_result=True),
    ]  # fmt: skip
    (tmp_path / "done").touch()
    assert [one.name for one in needed_steps(steps)] == ["of both", "of left", "done", "left"]


def make_pair(folder: Path, **options: object) -> tuple[Step, Step]:
    """Two finished steps, the second of which is made from the first."""
    first = Step("first", (), (folder / "first",))
    second = Step("second", (), (folder / "second",), (first,), **options)  # type: ignore[arg-type]
    for step in (first, second):
        step.evidence[0].touch()
    return first, second


def make_newer(step: Step, than: Step, seconds: float = 60) -> None:
    moment = than.evidence[0].stat().st_mtime + seconds
    os.utime(step.evidence[0], (moment, moment))


def test_results_of_other_inputs_are_made_again(tmp_path: Path) -> None:
    differences = ["of other outcomes"]
    _, second = make_pair(tmp_path, differences=lambda: differences, is_result=True)
    assert not second.is_done
    second.discard_result()
    assert not second.is_there
    second.evidence[0].touch()
    differences.clear()
    assert second.is_done


def test_a_result_older_than_its_inputs_is_made_again(tmp_path: Path) -> None:
    first, second = make_pair(tmp_path)
    third = Step("third", (), (tmp_path / "third",), (second,))
    third.evidence[0].touch()
    make_newer(first, second, 1)  # no more than clocks differ
    assert second.is_done and third.is_done
    make_newer(first, second)
    assert not second.is_done
    assert not third.is_done, "though it is newer than the second, which is going to be made again"
    make_newer(second, first)
    assert second.is_done and not third.is_done
    second.evidence[0].unlink()
    assert third.is_done, "what it was made from may be cleared away"


def test_a_training_is_only_repeated_on_request(tmp_path: Path) -> None:
    first, second = make_pair(
        tmp_path, resumes=True, is_result=True, differences=lambda: ["of another split"]
    )
    make_newer(first, second)
    assert second.is_done
    second.discard_result()
    assert second.is_there
