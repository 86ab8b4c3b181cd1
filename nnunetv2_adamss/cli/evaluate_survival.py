"""``adamss_evaluate_survival``: how good survival predictions are, of this package or of any tool."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from nnunetv2_adamss.cli.exit_code import exit_code
from nnunetv2_adamss.cli.model_options import add_folds_option, add_trainer_options, check_numbered_folds
from nnunetv2_adamss.display.text import text_of

if TYPE_CHECKING:
    from nnunetv2_adamss.evaluation.evaluate_files import EvaluationInputs
    from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation

_DESCRIPTION = """\
Evaluate survival predictions against a table of outcomes: C-index (Harrell, Uno), time-dependent AUC, Brier score,
calibration, decision curve, risk groups, each with its interval or the reason why there is none; all by centre where
survival.json names one, and against other predictions or tumour volume and SUVmax.
"""

_EXAMPLES = """\
examples:
  adamss_evaluate_survival -p predictions.csv -s survival.csv -o EVALUATION
  adamss_evaluate_survival -p fold_*/validation/survival_predictions.csv -s survival.csv -o EVALUATION
  adamss_evaluate_survival -d 510 -c 3d_fullres -o EVALUATION            the folds of a finished cross-validation
  adamss_evaluate_survival -p a.csv -s survival.csv -o EVALUATION --compare clinical=b.csv --compare c.csv
  adamss_evaluate_survival -p a.csv -s survival.csv -o EVALUATION --masks MASKS --images imagesTs --labels labelsTs

Predictions have a column case_id and a column risk_score (higher = earlier event); predicted_time, risk_group (low,
high) and survival_at_T (probability of living beyond T, in the table's unit) are used if they are there.
"""


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="adamss_evaluate_survival",
        usage="%(prog)s -p CSV [CSV ...] -s CSV -o FOLDER [options]\n"
        "       %(prog)s -d DATASET -c CONFIGURATION -o FOLDER [options]",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "-p", dest="predictions", type=Path, nargs="+", metavar="CSV",
        help="predictions; several files are the folds of one cross-validation",
    )  # fmt: skip
    add("-s", dest="survival_csv", type=Path, metavar="CSV", help="outcomes, with survival.json beside it")
    add("-o", dest="output", type=Path, metavar="FOLDER", required=True, help="where the results go")
    add(
        "--horizons",
        type=float,
        nargs="+",
        metavar="T",
        help="in the table's unit (default: 1, 2, 3, 5 years)",
    )
    add(
        "--tau", type=float, metavar="T",
        help="truncation time of Uno's C (default: where under a tenth would be under observation)",
    )  # fmt: skip
    add(
        "--threshold", type=float, metavar="X",
        help="risk_score from which on a patient is of high risk; never choose it on these patients",
    )  # fmt: skip
    add(
        "--compare", action="append", nargs="+", default=[], metavar="[NAME=]CSV",
        help="other predictions of the same patients, or the files of their folds; may be repeated",
    )  # fmt: skip
    add("--n_resamples", type=int, default=1000, metavar="N", help="of the bootstrap (default: %(default)s)")
    add("--seed", type=int, default=0, help="of the bootstrap (default: %(default)s)")
    _add_folds(parser)
    _add_masks(parser)
    return parser


def _add_folds(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("of a finished cross-validation, instead of -p")
    add = group.add_argument
    add("-d", dest="dataset", metavar="DATASET", help="nnU-Net's data set id or name; -s is found too")
    add("-c", dest="configuration", metavar="CONFIGURATION", help="such as 3d_fullres")
    add_trainer_options(group, plans_flag="-p_id")
    add_folds_option(group)


_FOLD_OPTIONS = {"configuration": "-c", "trainer": "-tr", "plans": "-p_id", "folds": "-f"}


def _add_masks(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("masks and images")
    add = group.add_argument
    add("--masks", type=Path, metavar="DIR", help="tumour masks: compare with the tumour's volume alone")
    add("--images", type=Path, metavar="DIR", help="with --masks: compare with SUVmax alone")
    add("--pet_channel", type=int, metavar="N", help="of --images (default: the one dataset.json names PET)")
    add("--labels", type=Path, metavar="DIR", help="with --masks: reference masks, for Dice")


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    _check(parser, args)
    return exit_code("adamss_evaluate_survival", lambda: _evaluate(args))


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if bool(args.predictions) == bool(args.dataset):
        parser.error("give either -p or -d")
    if args.predictions and not args.survival_csv:
        parser.error("-p needs -s")
    if args.dataset and not args.configuration:
        parser.error("-d needs -c")
    given = [flag for name, flag in _FOLD_OPTIONS.items() if getattr(args, name) != parser.get_default(name)]
    if args.predictions and given:
        parser.error(f"{', '.join(given)}: only with -d")
    check_numbered_folds(parser, args.folds)
    if (args.images or args.labels) and not args.masks:
        parser.error("--images and --labels need --masks")
    if args.pet_channel is not None and not args.images:
        parser.error("--pet_channel needs --images")
    if args.n_resamples < 1:
        parser.error(f"--n_resamples is {args.n_resamples}, but must be at least 1")
    times = [*(args.horizons or []), *([] if args.tau is None else [args.tau])]
    if not all(0 < time < float("inf") for time in times):
        parser.error("--horizons and --tau must be numbers above 0")


def _evaluate(args: argparse.Namespace) -> None:
    from tqdm import tqdm

    from nnunetv2_adamss.evaluation.evaluate import EvaluationSettings
    from nnunetv2_adamss.evaluation.evaluate_files import evaluate_files
    from nnunetv2_adamss.evaluation.evaluation_sections import evaluation_sections

    settings = EvaluationSettings(
        tuple(sorted(set(args.horizons))) if args.horizons else None,
        args.tau,
        args.threshold,
        args.n_resamples,
        args.seed,
    )
    inputs = _inputs(args)
    evaluation, written = evaluate_files(
        inputs, settings, args.output, lambda items, what: tqdm(items, desc=what, disable=None)
    )
    print(text_of(*evaluation_sections(evaluation)))
    print(f"\nWritten to {args.output}: {', '.join(file.name for file in written)}")


def _inputs(args: argparse.Namespace) -> EvaluationInputs:
    from nnunetv2_adamss.evaluation.evaluate_files import EvaluationInputs
    from nnunetv2_adamss.trained_folds.fold_files import COVARIATES_ONLY_FILE, PREDICTIONS_FILE

    compare = _compared(args.compare)
    predictions, survival_csv, notes = args.predictions, args.survival_csv, []
    if args.dataset:
        found = _cross_validation(args)
        predictions, survival_csv, notes = found.files(PREDICTIONS_FILE), found.survival_csv, _optimism(found)
        if covariates_only := found.files(COVARIATES_ONLY_FILE):
            compare = {"covariates without the image": covariates_only, **compare}
    return EvaluationInputs(
        predictions, survival_csv, compare, args.masks, args.images, args.labels, args.pet_channel, notes
    )


def _cross_validation(args: argparse.Namespace) -> CrossValidation:
    from nnunetv2_adamss.survival.nnunet_data.dataset import model_folder
    from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
    from nnunetv2_adamss.trained_folds.fold_files import PREDICTIONS_FILE

    folder = model_folder(args.dataset, args.trainer, args.plans, args.configuration)
    folds = [int(fold) for fold in args.folds]
    return CrossValidation.find(folder, folds, PREDICTIONS_FILE, survival_csv=args.survival_csv)


def _optimism(found: CrossValidation) -> list[str]:
    """A note on the folds whose epoch was chosen on the patients that are evaluated."""
    from nnunetv2_adamss.common.messages import listed

    flattered = [str(fold.number) for fold in found.optimistic_folds]
    note = f"Optimistic: the epoch of fold {listed(flattered)} was chosen on the patients that are evaluated."
    return [note] if flattered else []


def _compared(groups: list[list[str]]) -> dict[str, list[Path]]:
    """Files by name: what stands before the first ``=``, else the first file's own name."""
    compared: dict[str, list[Path]] = {}
    for group in groups:
        name, is_named, first = group[0].partition("=")
        if not is_named:
            name, first = Path(group[0]).stem, group[0]
        if name in compared:
            raise ValueError(f"Two of --compare are called '{name}'; name them: --compare NAME=FILE.")
        compared[name] = [Path(first), *map(Path, group[1:])]
    return compared


if __name__ == "__main__":
    raise SystemExit(main())
