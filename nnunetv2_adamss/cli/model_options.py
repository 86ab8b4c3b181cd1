"""Options that commands share: data set, configuration, trainer, plans, folds, checkpoint, device, processes."""

import argparse
from collections.abc import Sequence

from nnunetv2_adamss.cli.command_parser import CommandParser

DEVICES = ("cuda", "cpu", "mps")
# Below the examples of commands whose -p has nnU-Net's own plan as default.
PLAN_OF_README = "With the plan of the README add -p AdaMSSPlans wherever a data set is named."
_FOLDS = ["0", "1", "2", "3", "4"]
_DATASET, _CONFIGURATION = "nnU-Net's data set id or name", "such as 3d_fullres"


def add_fold_arguments(
    group: argparse._ActionsContainer, *, nargs: str | None = None, fold: str = "number of the fold, or all"
) -> None:
    """Add DATASET, CONFIGURATION and FOLD, which name one fold, as in nnUNetv2_train.

    Args:
        group: to which they are added.
        nargs: "?" if the command can do without.
        fold: help of FOLD.
    """
    for name, text in (("dataset", _DATASET), ("configuration", _CONFIGURATION), ("fold", fold)):
        group.add_argument(name, metavar=name.upper(), nargs=nargs, help=text)


def add_model_options(group: argparse._ActionsContainer, *, required: bool = False) -> None:
    """Add ``-d`` and ``-c``, which name a whole model, as in nnUNetv2_predict."""
    group.add_argument("-d", dest="dataset", metavar="DATASET", required=required, help=_DATASET)
    group.add_argument(
        "-c", dest="configuration", metavar="CONFIGURATION", required=required, help=_CONFIGURATION
    )


def add_once_positional_dataset(
    parser: CommandParser, text: str = _DATASET, *, required: bool = True
) -> None:
    """Add ``-d`` to a command that had DATASET in version 0.1."""
    parser.add_once_positional("-d", dest="dataset", metavar="DATASET", required=required, help=text)


def add_once_positional_model(parser: CommandParser, *, required: bool = True) -> None:
    """Add ``-d`` and ``-c`` to a command that had DATASET and CONFIGURATION in version 0.1."""
    add_once_positional_dataset(parser, required=required)
    parser.add_once_positional(
        "-c", dest="configuration", metavar="CONFIGURATION", required=required, help=_CONFIGURATION
    )


def add_trainer_options(group: argparse._ActionsContainer) -> None:
    """Add ``-tr`` and ``-p``."""
    group.add_argument(
        "-tr",
        dest="trainer",
        metavar="TRAINER",
        default="AdaMSSSurvTrainer",
        help="survival trainer (default: %(default)s)",
    )
    add_plans_option(group)


def add_plans_option(group: argparse._ActionsContainer) -> None:
    """Add ``-p``."""
    group.add_argument(
        "-p",
        dest="plans",
        metavar="PLANS",
        default="nnUNetPlans",
        help="plans identifier, such as AdaMSSPlans of adamss_set_normalization (default: %(default)s)",
    )


def add_device_option(group: argparse._ActionsContainer, text: str = "default: %(default)s") -> None:
    """Add ``-device``."""
    group.add_argument("-device", choices=DEVICES, default="cuda", help=text)


def add_processes_option(group: argparse._ActionsContainer, default: int, text: str) -> None:
    """Add ``-np``."""
    group.add_argument(
        "-np",
        dest="num_processes",
        type=int,
        default=default,
        metavar="N",
        help=f"{text} (default: %(default)s)",
    )


def check_processes(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Exit with a message unless there is at least one process."""
    if args.num_processes < 1:
        parser.error(f"-np is {args.num_processes}, but must be at least 1")


def add_folds_option(group: argparse._ActionsContainer) -> None:
    """Add ``-f``."""
    group.add_argument(
        "-f", dest="folds", nargs="+", default=_FOLDS, metavar="FOLD", help="default: 0 1 2 3 4"
    )


def add_checkpoint_option(group: argparse._ActionsContainer) -> None:
    """Add ``-chk``."""
    group.add_argument(
        "-chk",
        dest="checkpoint",
        metavar="NAME",
        help="checkpoint of the survival network (default: checkpoint_best.pth; checkpoint_final.pth for fold all)",
    )


def check_folds(parser: argparse.ArgumentParser, folds: Sequence[str]) -> None:
    """Exit with a message unless these are numbers, each once, or ``all`` alone."""
    if list(folds) != ["all"]:
        _check_numbers(parser, folds, "numbers, or all by itself")


def check_numbered_folds(parser: argparse.ArgumentParser, folds: Sequence[str]) -> None:
    """Exit with a message unless these are numbers, each once: folds with cases left to evaluate them on."""
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
    """Return the fold as a number, or ``all``."""
    return "all" if fold == "all" else int(fold)


def checkpoint_name(given: str | None, fold: str) -> str:
    """Return the user's checkpoint, else that of the best epoch, or for fold ``all`` of the last."""
    return given or ("checkpoint_final.pth" if fold == "all" else "checkpoint_best.pth")
