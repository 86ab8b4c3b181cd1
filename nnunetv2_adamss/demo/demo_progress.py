"""Progress of a demo folder, so that a demo that was stopped continues where it was."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nnunetv2_adamss.common.files import write_json
from nnunetv2_adamss.common.json_object import read_object
from nnunetv2_adamss.common.kinds import by_name, is_count, is_number


@dataclass
class DemoProgress:
    """Settings of a demo, and the steps that are done.

    Args:
        n_training: training cases.
        n_test: held-out cases.
        seconds: duration of each step that is done, by its title.
    """

    n_training: int
    n_test: int
    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def begin_or_continue(cls, folder: Path, n_training: int, n_test: int) -> "DemoProgress":
        """Return the progress of this folder, new or as it was left.

        Raises:
            ValueError: if the folder holds a demo with other settings, or something else, or its file is damaged.
        """
        asked = cls(n_training, n_test)
        if not _file(folder).is_file():
            if folder.is_dir() and any(folder.iterdir()):
                raise ValueError(f"{folder} is not empty and holds no demo; choose a new folder with -o.")
            return asked
        content = read_object(_file(folder), n_training=is_count, n_test=is_count, seconds=by_name(is_number))
        found = cls(content["n_training"], content["n_test"], content["seconds"])
        if (found.n_training, found.n_test) != (n_training, n_test):
            raise ValueError(
                f"{folder} holds a demo with -n {found.n_training} --n_test {found.n_test}, but -n {n_training} "
                f"--n_test {n_test} was asked for; use the same numbers to continue, or choose a new folder with -o."
            )
        return found

    def check_steps(self, folder: Path, titles: Sequence[str]) -> None:
        """Raise ValueError if another version of this package, with other steps than these titles, began the demo."""
        if unknown := [title for title in self.seconds if title not in titles]:
            raise ValueError(
                f"{folder} holds a demo that another version of this package began (its step '{unknown[0]}' is none of "
                "this version's); choose a new folder with -o."
            )

    def save(self, folder: Path) -> None:
        """Write to the folder, completely or not at all."""
        write_json(_file(folder), asdict(self))


def _file(folder: Path) -> Path:
    return folder / "demo.json"
