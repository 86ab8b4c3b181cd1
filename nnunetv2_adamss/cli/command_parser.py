"""Argument parser of every command: general options, short errors, and the spellings of version 0.1."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from nnunetv2_adamss.cli.exit_code import exit_code
from nnunetv2_adamss.cli.former_spellings import Renamed, in_new_spelling
from nnunetv2_adamss.cli.verbosity import Verbosity, saying


class CommandParser(argparse.ArgumentParser):
    """Options of one command, and the function that runs it.

    Args:
        command: its name.
        description: shown above the options.
        epilog: examples, shown below the options.
        renamed: its options that have new names since version 0.1.
        usage: the line that shows how to call it, where it can be called in two ways.
    """

    def __init__(
        self,
        command: str,
        description: str,
        epilog: str,
        renamed: Sequence[Renamed] = (),
        usage: str | None = None,
    ) -> None:
        super().__init__(
            prog=command,
            usage=usage,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.renamed = tuple(renamed)
        self.once_positional: list[argparse.Action] = []
        self.verbosity = Verbosity.NORMAL
        _add_general_options(self)

    def add_once_positional(self, flag: str, **options: Any) -> None:
        """Add an option that version 0.1 had as a positional argument; the first of several came first."""
        self.once_positional.append(self.add_argument(flag, **options))

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Parse a command line, in the spelling of this version or of 0.1.

        For the latter, print one line on stderr.
        """
        words, sentences = in_new_spelling(sys.argv[1:] if args is None else args, self.renamed)
        required = [action for action in self.once_positional if action.required]
        for action in required:  # they may be among the words that are no options
            action.required = False
        found, rest = self.parse_known_args(words, namespace)
        for action in required:
            action.required = True
        sentences += self._take_positional(found, rest)
        missing = [action.option_strings[0] for action in required if getattr(found, action.dest) is None]
        if missing:
            self.error(f"the following arguments are required: {', '.join(missing)}")
        if sentences:
            said = "; ".join(sentences)
            print(f"{self.prog}: {said}. The old spelling works in this version only.", file=sys.stderr)
        self.verbosity = vars(found).pop("verbosity")
        return found

    def _take_positional(self, found: argparse.Namespace, rest: Sequence[str]) -> list[str]:
        """Assign words that are no options to version 0.1's positional arguments; return sentences about them."""
        actions = [action for action in self.once_positional if getattr(found, action.dest) is None]
        if len(rest) > len(actions) or any(word.startswith("-") for word in rest):
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        taken = list(zip(actions, rest, strict=False))
        for action, word in taken:
            setattr(found, action.dest, word)
        options = " ".join(f"{action.option_strings[0]} {word}" for action, word in taken)
        return [f"{' '.join(rest)} is now {options}"] if rest else []

    def error(self, message: str) -> NoReturn:
        """End with exit code 2 and a sentence; the usage of some commands would hide it."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")

    def run(self, run: Callable[[], int | None], stopped: str = "stopped.") -> int:
        """Run the command with the verbosity of the parsed options; see ``exit_code``."""
        with saying(self.verbosity):
            return exit_code(self.prog, run, stopped)


def _add_general_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("general")
    how_much = group.add_mutually_exclusive_group()
    for flags, verbosity, text in (
        (("-v", "--verbose"), Verbosity.VERBOSE, "log which files are read, and where an error comes from"),
        (("-q", "--quiet"), Verbosity.QUIET, "results and warnings only: no progress, no log of trainings"),
    ):
        how_much.add_argument(
            *flags,
            dest="verbosity",
            action="store_const",
            const=verbosity,
            default=Verbosity.NORMAL,
            help=text,
        )
    group.add_argument(
        "--version",
        action=_PrintVersions,
        help="versions of this package, nnU-Net, PyTorch and Python; device",
    )


class _PrintVersions(argparse.Action):
    """Print the versions and exit."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *parsed: object) -> None:
        from nnunetv2_adamss.cli.versions import versions

        print(versions())
        parser.exit()
