"""What commands about a trained survival model share: which trainer, folds and checkpoint."""

import argparse
from collections.abc import Sequence

_FOLDS = ["0", "1", "2", "3", "4"]


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add ``-tr``, ``-p``, ``-f`` and ``-chk``."""
    add = parser.add_argument
    add("-tr", dest="trainer", default="AdaMSSSurvTrainer", help="survival trainer (default: %(default)s)")
    add("-p", dest="plans", default="nnUNetPlans", help="plans identifier (default: %(default)s)")
    add("-f", dest="folds", nargs="+", default=_FOLDS, metavar="FOLD", help="default: 0 1 2 3 4")
    add(
        "-chk",
        dest="checkpoint",
        metavar="NAME",
        help="checkpoint of every fold (default: checkpoint_best.pth; checkpoint_final.pth for fold all)",
    )


def check_folds(parser: argparse.ArgumentParser, folds: Sequence[str]) -> None:
    """Stop with a message unless these are numbers, each once, or ``all`` by itself."""
    wrong = [fold for fold in folds if not fold.isdecimal() and fold != "all"]
    if wrong or ("all" in folds and len(folds) > 1):
        parser.error(f"-f takes numbers, or all by itself, not {' '.join(folds)}")
    if len(set(folds)) < len(folds):
        parser.error(f"-f names a fold twice: {' '.join(folds)}")


def fold_numbers(folds: Sequence[str]) -> list[int | str]:
    """Numbers, or ``all``."""
    return ["all" if fold == "all" else int(fold) for fold in folds]


def checkpoint_name(args: argparse.Namespace) -> str:
    """The one that the user chose; the best epoch where there were cases to choose it on, or else the last."""
    is_fold_all = args.folds == ["all"]
    return args.checkpoint or ("checkpoint_final.pth" if is_fold_all else "checkpoint_best.pth")
