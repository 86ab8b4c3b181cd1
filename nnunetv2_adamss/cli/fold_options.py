"""Options of all commands on a fold of Stage II: the fold, the Stage-I network, the masks."""

import argparse
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.mask_flags import MASK_FLAGS


def add_mask_options(
    group: argparse._ActionsContainer,
    names: Collection[str] = tuple(MASK_FLAGS),
    default_source: str = "predicted",
) -> None:
    """Add options of ``MASK_FLAGS``, by default all; those that the user does not give are absent.

    Args:
        group: to which the options are added.
        names: of the settings.
        default_source: the command's default mask source.
    """

    def add(name: str, **options: Any) -> None:
        if name in names:
            group.add_argument(MASK_FLAGS[name], dest=name, default=argparse.SUPPRESS, **options)

    add(
        "seg_trainer",
        metavar="TRAINER",
        help="Stage-I trainer (default: AdaMSSSegTrainer, or that of a fusion strategy)",
    )
    add("seg_checkpoint", metavar="NAME", help="checkpoint of Stage I (default: checkpoint_best.pth)")
    add(
        "mask_source",
        choices=["predicted", "out_of_fold", "groundtruth"],
        help="whose tumour masks: by the fold's Stage-I network (predicted), for each case by the fold that did not "
        f"train on it (out_of_fold, needs Stage I of all folds), or the reference (default: {default_source})",
    )
    add("masks_dir", metavar="DIR", help="masks of your own instead, one file a case")
    add("mirroring", action="store_false", help="predict the masks without mirroring")


def check_fold_options(parser: argparse.ArgumentParser, args: Mapping[str, Any]) -> None:
    """Exit with a message if the fold is invalid, or two options exclude each other."""
    if args["fold"] != "all" and not args["fold"].isdecimal():
        parser.error(f"the fold must be a number or all, not {args['fold']}")
    if "mask_source" in args and "masks_dir" in args:
        parser.error("--mask_source and --masks exclude each other")


def mask_settings(args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mask options that the user gave, as settings of ``SurvivalConfig``."""
    settings = {name: args[name] for name in MASK_FLAGS if name in args}
    if "masks_dir" in settings:
        settings |= {"mask_source": "folder", "masks_dir": str(Path(settings["masks_dir"]).resolve())}
    return settings
