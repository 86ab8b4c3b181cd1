"""What commands about a trained survival model share: which trainer, folds and checkpoint."""

import argparse
from collections.abc import Sequence

_FOLDS = ["0", "1", "2", "3", "4"]


def add_trainer_options(group: argparse._ActionsContainer, plans_flag: str = "-p") -> None:
    """Add ``-tr`` and ``-p``, or another flag for the plans."""
    add = group.add_argument
    add("-tr", dest="trainer", default="AdaMSSSurvTrainer", help="survival trainer (default: %(default)s)")
    add(plans_flag, dest="plans", default="nnUNetPlans", help="plans identifier (default: %(default)s)")


def add_folds_option(group: argparse._ActionsContainer) -> None:
    """Add ``-f``."""
    group.add_argument(
        "-f", dest="folds", nargs="+", default=_FOLDS, metavar="FOLD", help="default: 0 1 2 3 4"
    )


def add_checkpoint_option(parser: argparse.ArgumentParser) -> None:
    """Add ``-chk``."""
    parser.add_argument(
        "-chk",
        dest="checkpoint",
        metavar="NAME",
        help="checkpoint of the survival network (default: checkpoint_best.pth; checkpoint_final.pth for fold all)",
    )


def check_folds(parser: argparse.ArgumentParser, folds: Sequence[str]) -> None:
    """Stop with a message unless these are numbers, each once, or ``all`` by itself."""
    if list(folds) != ["all"]:
        _check_numbers(parser, folds, "numbers, or all by itself")


def check_numbered_folds(parser: argparse.ArgumentParser, folds: Sequence[str]) -> None:
    """Stop with a message unless these are numbers, each once: folds that leave cases to judge them on."""
    if "all" in folds:
        parser.error(
            "fold all trains on every case, so it has no out-of-fold predictions; choose numbered folds"
        )
    _check_numbers(parser, folds, "numbers of folds")


def _check_numbers(parser: argparse.ArgumentParser, folds: Sequence[str], expected: str) -> None:
    if not all(fold.isdecimal() for fold in folds):
        parser.error(f"-f takes {expected}, not {' '.join(folds)}")
    if len(set(folds)) < len(folds):
        parser.error(f"-f names a fold twice: {' '.join(folds)}")


def fold_number(fold: str) -> int | str:
    """A number or ``all``."""
    return "all" if fold == "all" else int(fold)


def checkpoint_name(given: str | None, fold: str) -> str:
    """The one that the user chose; the best epoch where there were cases to choose it on, or else the last."""
    return given or ("checkpoint_final.pth" if fold == "all" else "checkpoint_best.pth")
