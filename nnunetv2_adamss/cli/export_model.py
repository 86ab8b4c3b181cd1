"""``adamss_export_model``: a survival model with its segmentation model, in one zip."""

import argparse
from pathlib import Path

from nnunetv2_adamss.cli.exit_code import exit_code
from nnunetv2_adamss.cli.model_options import (
    add_checkpoint_option,
    add_folds_option,
    add_trainer_options,
    check_folds,
    checkpoint_name,
    fold_number,
)

_DESCRIPTION = """\
Pack a trained survival model, with the segmentation networks that find its tumours and its calibration, into one zip.
On the other machine: nnUNetv2_install_pretrained_model_from_zip FILE.zip, then adamss_predict_survival.
A model card is written beside it, FILE.md: intended use, cohort, results, limits and settings.
"""

_EPILOG = """\
examples:
  adamss_export_model 510 3d_fullres -o sarcoma.zip
  adamss_export_model 510 3d_fullres -o sarcoma.zip -f 0 1 2
  adamss_export_model 510 3d_fullres -o sarcoma.zip -f all

The zip holds no images and no table of outcomes, but checkpoints name the cases that they were trained on: the card
lists what the zip discloses about patients. Read it before you give a model away.
"""


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="adamss_export_model",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("dataset", help="nnU-Net's data set id or name")
    add("configuration", help="3d_fullres or 3d_lowres")
    add("-o", dest="output", type=Path, required=True, metavar="FILE.zip", help="file that is written")
    add_trainer_options(parser)
    add_folds_option(parser)
    add_checkpoint_option(parser)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error, said on stderr)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    check_folds(parser, args.folds)
    return exit_code("adamss_export_model", lambda: _export(args))


def _export(args: argparse.Namespace) -> None:
    from nnunetv2_adamss.prediction.export import export_model
    from nnunetv2_adamss.prediction.survival_model import SurvivalModel
    from nnunetv2_adamss.report.model_card import write_model_card
    from nnunetv2_adamss.survival.nnunet_data.dataset import model_folder

    folder = model_folder(args.dataset, args.trainer, args.plans, args.configuration)
    checkpoint = checkpoint_name(args.checkpoint, args.folds[0])
    model = SurvivalModel.load(folder, [fold_number(fold) for fold in args.folds], checkpoint)
    files = export_model(model, args.output, lambda name: print(f"packing {name}"))
    print(f"{len(files)} files, {args.output.stat().st_size / 1e6:.0f} MB: {args.output}")
    card = args.output.with_suffix(".md")
    write_model_card(card, model)
    print(f"Model card, with what the zip discloses about patients: {card}")
    print(f"Install it with nnUNetv2_install_pretrained_model_from_zip {args.output.name}")


if __name__ == "__main__":
    raise SystemExit(main())
