"""``adamss_export_model``: a survival model with its segmentation model, in one zip."""

import argparse
from pathlib import Path

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_checkpoints, folder_of_model
from nnunetv2_adamss.cli.model_options import (
    PLAN_OF_README,
    add_checkpoint_option,
    add_folds_option,
    add_once_positional_model,
    add_trainer_options,
    check_folds,
    checkpoint_name,
    fold_number,
)
from nnunetv2_adamss.common.quiet import is_quiet

_DESCRIPTION = """\
Pack a trained survival model, with the segmentation networks that find its tumours and its calibration, into one zip.
On the other machine: nnUNetv2_install_pretrained_model_from_zip FILE.zip, then adamss_predict_survival.
A model card is written beside it, FILE.md: intended use, cohort, results, limits and settings.
"""

_EPILOG = f"""\
examples:
  adamss_export_model -d 510 -c 3d_fullres -o sarcoma.zip
  adamss_export_model -d 510 -c 3d_fullres -o sarcoma.zip -f 0 1 2
  adamss_export_model -d 510 -c 3d_fullres -o sarcoma.zip -f all

{PLAN_OF_README}

The zip holds no images and no table of outcomes, but checkpoints name the cases that they were trained on: the card
lists what the zip discloses about patients. Read it before you give a model away.
"""


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser("adamss_export_model", _DESCRIPTION, _EPILOG)
    add_once_positional_model(parser)
    parser.add_argument("-o", dest="output", type=Path, required=True, metavar="FILE.zip", help="output file")
    add_trainer_options(parser)
    add_folds_option(parser)
    add_checkpoint_option(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error, reported on stderr)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    check_folds(parser, args.folds)
    return parser.run(lambda: _export(args))


def _export(args: argparse.Namespace) -> None:
    from nnunetv2_adamss.prediction.model_path import check_zip_path

    check_zip_path(args.output)
    folder = folder_of_model(args)
    check_checkpoints(folder, args.folds, args.checkpoint)

    from nnunetv2_adamss.prediction.export import export_model
    from nnunetv2_adamss.prediction.survival_model import SurvivalModel
    from nnunetv2_adamss.report.model_card import write_model_card

    checkpoint = checkpoint_name(args.checkpoint, args.folds[0])
    model = SurvivalModel.load(folder, [fold_number(fold) for fold in args.folds], checkpoint)
    files = export_model(model, args.output, lambda name: None if is_quiet() else print(f"packing {name}"))
    print(f"{len(files)} files, {args.output.stat().st_size / 1e6:.0f} MB: {args.output}")
    card = args.output.with_suffix(".md")
    write_model_card(card, model)
    print(f"Model card, with what the zip discloses about patients: {card}")
    print(f"Install it with nnUNetv2_install_pretrained_model_from_zip {args.output.name}")


if __name__ == "__main__":
    raise SystemExit(main())
