"""``adamss_set_normalization``: a plan with other normalisations than nnU-Net's, or another batch size."""

from __future__ import annotations

import argparse

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_planned
from nnunetv2_adamss.cli.file_name import file_name
from nnunetv2_adamss.cli.model_options import add_once_positional_dataset

_DESCRIPTION = """\
Write a copy of nnU-Net's plan with other normalisations. By default CT as in the paper (clipped to +-1024 HU, divided
by 1024) and PET by a z-score of each image, as in the paper and in nnU-Net. nnU-Net itself clips CT to a window that
it fits to the tumours, which hides what CT shows elsewhere. A z-score depends on how much of the body an image shows
and hides SUVmax; --pet suv clips to SUV 0 to 25 and divides by 5 instead.
"""

_EXAMPLES = """\
examples:
  adamss_set_normalization -d 22                               AdaMSSPlans
  adamss_set_normalization -d 22 --pet suv                     nnUNetPlans_CTpaper_PETsuv
  adamss_set_normalization -d 22 --batch_size 2                AdaMSSPlans
  adamss_set_normalization -d 22 --ct nnunet --pet suv -o nnUNetPlans_mine

The data set must be planned (nnUNetv2_plan_and_preprocess --no_pp suffices). Then preprocess by the new plan and
give its name to every command with -p.
"""


def build_parser() -> CommandParser:
    """Return the command's parser."""
    parser = CommandParser("adamss_set_normalization", _DESCRIPTION, _EXAMPLES)
    add = parser.add_argument
    add_once_positional_dataset(parser)
    add("--ct", choices=["paper", "nnunet"], default="paper", help="(default: %(default)s)")
    add("--pet", choices=["zscore", "suv"], default="zscore", help="(default: %(default)s)")
    add(
        "--batch_size", type=int, metavar="N",
        help="of 3D configurations, 2 in the paper (default: nnU-Net's, larger for small images)",
    )  # fmt: skip
    add(
        "-p", dest="plans", type=file_name, metavar="PLANS", default="nnUNetPlans",
        help="plan to copy (default: %(default)s)",
    )  # fmt: skip
    add(
        "-o",
        dest="output",
        type=file_name,
        metavar="NAME",
        help="name of the copy (default: AdaMSSPlans; with other rules, or of another plan, a name that contains them)",
    )
    add("--overwrite", action="store_true", help="replace another plan of this name")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error, reported in one sentence on stderr)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    if args.batch_size is not None and args.batch_size < 1:
        parser.error(f"--batch_size is {args.batch_size}, but must be at least 1")
    return parser.run(lambda: _run(args))


def _run(args: argparse.Namespace) -> None:
    check_planned(args.dataset, args.plans)

    from nnunetv2_adamss.datasets.normalization import write_plans
    from nnunetv2_adamss.survival.nnunet_data.dataset import dataset_id

    file = write_plans(
        args.dataset, args.plans, args.output, ct_rule=args.ct, pet_rule=args.pet, batch_size=args.batch_size,
        overwrite=args.overwrite,
    )  # fmt: skip
    print(f"Written to {file}")
    print(
        f"Next: nnUNetv2_preprocess -d {dataset_id(file.parent.name)} -plans_name {file.stem} -c 3d_fullres"
    )
    print(f"and -p {file.stem} with every command after it.")


if __name__ == "__main__":
    raise SystemExit(main())
