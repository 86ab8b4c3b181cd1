"""``adamss_finetune_survival``: Stage II, from a fold's Stage-I checkpoint to survival predictions."""

import argparse
from pathlib import Path
from typing import Any

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_inputs, check_trainer, check_training
from nnunetv2_adamss.cli.fold_options import (
    add_mask_options,
    check_fold_options,
    mask_settings,
)
from nnunetv2_adamss.cli.former_spellings import MASKS_DIR
from nnunetv2_adamss.cli.model_options import (
    PLAN_OF_README,
    add_device_option,
    add_fold_arguments,
    add_trainer_options,
    fold_number,
)
from nnunetv2_adamss.cli.verbosity import results_only

_EPILOG = f"""
examples:
  adamss_finetune_survival 510 3d_fullres 0
  adamss_finetune_survival 510 3d_fullres 0 -tr AdaMSSSurvTrainer_Anchored      for your own work
  adamss_finetune_survival 510 3d_fullres 0 --c             continue after a stop
  adamss_finetune_survival 510 3d_fullres 0 --val           only predict and score the validation cases
  adamss_finetune_survival 510 3d_fullres 0 --mask_source out_of_fold --select inner
  adamss_finetune_survival 510 3d_fullres 0 --no_radiomics --features genomics.csv
  adamss_finetune_survival 510 3d_fullres all               train on every case
  adamss_finetune_survival 510 3d_fullres 0 -device cpu -tr AdaMSSSurvTrainer_ShortSchedule \\
                           -seg_tr AdaMSSSegTrainer_ShortSchedule      minutes, for a first look

{PLAN_OF_README}

Results lie where nnU-Net's do: nnUNet_results/DATASET/AdaMSSSurvTrainer__PLANS__CONFIGURATION/fold_FOLD, with
checkpoints, progress.png, survival_summary.json and validation/survival_predictions.csv.
"""


# What is no setting: of the request, and the names of fold and trainer.
_OWN = ("plans", "device", "num_gpus", "continue_training", "only_validation", "overwrite")
_NAMES = ("dataset", "configuration", "fold", "trainer", "no_radiomics", "no_clinical")


def build_parser() -> CommandParser:
    """Return the parser; options of the settings that the user does not give are absent from its result."""
    parser = CommandParser(
        "adamss_finetune_survival",
        "Fine-tune a fold's Stage-I network to predict survival, on nnU-Net's preprocessed data.",
        _EPILOG,
        [MASKS_DIR],
    )
    add = parser.add_argument
    add_fold_arguments(parser)
    add_trainer_options(parser)
    add_device_option(parser)
    add("-num_gpus", type=int, default=1, help="default: %(default)s")
    add("--c", dest="continue_training", action="store_true", help="continue from the latest checkpoint")
    add(
        "--val",
        dest="only_validation",
        action="store_true",
        help="only run the validation of a finished training",
    )
    add("--no_radiomics", action="store_true", help="the trainer's variant without radiomics features")
    add("--no_clinical", action="store_true", help="the trainer's variant without clinical indicators")
    add("--overwrite", action="store_true", help="start over if there is a training already")
    _add_settings(parser)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    settings = parser.add_argument_group(
        "settings", "kept in every checkpoint; --c and --val take them from there"
    )

    def add(*names: str, **options: Any) -> None:
        settings.add_argument(*names, default=argparse.SUPPRESS, **options)

    add_mask_options(settings)
    add(
        "--survival_csv", metavar="FILE", help="outcomes (default: survival.csv in the raw data set's folder)"
    )
    add(
        "--features",
        dest="features_csv",
        action="append",
        metavar="FILE",
        help="CSV of case_id and any numbers, such as genomics, to use like radiomics; may be repeated",
    )
    add(
        "--radiomics",
        choices=["all", "first_order"],
        help="the paper's 1,456 features (default), or first-order statistics of CT and PET in the tumour and its "
        "volume, in seconds for a whole cohort",
    )
    add(
        "--feature_selection",
        choices=["lasso", "none"],
        help="which radiomics and own features are used: by LASSO-Cox on the training cases (default), or all",
    )
    add(
        "--max_features",
        type=int,
        metavar="N",
        help="most of them together with the clinical columns (default: one for every ten events)",
    )
    add(
        "--clinical_selection",
        choices=["likelihood_ratio", "none"],
        help="which clinical columns of the table are used: those that pass this test alone (default), or all",
    )
    add(
        "--anchor",
        choices=["none", "covariates", "image"],
        help="a Cox model that the network starts from and adds to: none (default), on the covariates, or on them and "
        "the image as Stage I sees it (default of AdaMSSSurvTrainer_Anchored)",
    )
    add(
        "--batch_norm",
        choices=["batch", "frozen"],
        help="statistics of batch normalisation: of each batch (default), or as Stage I left them (default of "
        "AdaMSSSurvTrainer_Anchored)",
    )
    add(
        "--head_rate",
        type=float,
        metavar="N",
        help="learning rate of the survival head, as a multiple of the network's (default: 1; 10 for "
        "AdaMSSSurvTrainer_Anchored)",
    )
    add(
        "--baseline",
        choices=["trained", "refitted"],
        help="biases of the time intervals: as the last step left them (default), or fitted again to the training "
        "cases (default of AdaMSSSurvTrainer_Anchored)",
    )
    add(
        "--epochs",
        type=int,
        help="length of the training, in epochs of the trainer's own size (default: its own number; 50 of 200 "
        "iterations for AdaMSS)",
    )
    add(
        "--select",
        choices=["last", "best", "inner"],
        help="which epoch predicts the validation cases: the last (default), the best on them (optimistic), or the "
        "best on a fifth of the training cases that is set aside",
    )
    add("--n_intervals", type=int, help="time intervals (default: 10; 14 for DeepMTLR and TMSS)")
    add(
        "--interval_rule",
        choices=["quantile", "event_quantile", "authors_days"],
        help="quantiles of all times (default), of events' (default for DeepMTLR and TMSS), or the 10 intervals of the "
        "AdaMSS authors' software, whose edges are in days",
    )
    add("--interval_edges", type=float, nargs="+", metavar="T", help="explicit edges, the first is 0")
    add(
        "--loss_reduction",
        choices=["sum", "mean"],
        help="over the intervals: sum, Eq. (1) (default), or mean, as in the authors' software: L2 then weighs as many "
        "times more as there are intervals",
    )
    add(
        "--pool",
        choices=["region", "crops"],
        help="pool over the whole region (default) or average over crops (always for TMSS)",
    )
    add("--seed", type=int, help="default: 2024")


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 2 a user's error, reported on stderr, 130 stopped)."""
    parser = build_parser()
    args = vars(parser.parse_args(argv))
    if args["continue_training"] + args["only_validation"] + args["overwrite"] > 1:
        parser.error("--c, --val and --overwrite exclude each other")
    if "interval_edges" in args and {"n_intervals", "interval_rule"} & set(args):
        parser.error("--interval_edges excludes --n_intervals and --interval_rule")
    if "n_intervals" in args and args.get("interval_rule") == "authors_days":
        parser.error("--interval_rule authors_days has 10 intervals and excludes --n_intervals")
    check_fold_options(parser, args)
    return parser.run(
        lambda: _run(args),
        "stopped. Run the same command again if the training had not begun, otherwise continue with --c.",
    )


def _run(args: dict[str, Any]) -> None:
    trainer, settings = _variant(args["trainer"], args["no_radiomics"], args["no_clinical"]), _settings(args)
    _check_files_and_names(args, trainer, settings)

    from nnunetv2_adamss.trainers.finetune import FinetuneRequest, finetune_survival

    request = FinetuneRequest(
        args["dataset"],
        args["configuration"],
        fold_number(args["fold"]),
        settings,
        trainer,
        **{name: args[name] for name in _OWN},
    )
    with results_only():
        folder = finetune_survival(request)
    print(f"Done: {folder}")


def _settings(args: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of ``SurvivalConfig`` that the user gave, with absolute paths."""
    settings = {name: value for name, value in args.items() if name not in (*_OWN, *_NAMES)}
    settings |= mask_settings(args)
    if "survival_csv" in settings:
        settings["survival_csv"] = str(Path(settings["survival_csv"]).resolve())
    if "features_csv" in settings:
        settings["features_csv"] = [str(Path(file).resolve()) for file in settings["features_csv"]]
    return settings


def _check_files_and_names(args: dict[str, Any], trainer: str, settings: dict[str, Any]) -> None:
    check_inputs([args.get("survival_csv"), *args.get("features_csv", [])], [args.get("masks_dir")])
    check_trainer(trainer)
    if "seg_trainer" in args:
        check_trainer(args["seg_trainer"], "-seg_tr")
    check_training(args, trainer, settings)


def _variant(trainer: str, no_radiomics: bool, no_clinical: bool) -> str:
    """Return the name of the trainer's variant, which has its own results."""
    if no_radiomics and no_clinical:
        return f"{trainer}_ImageOnly"
    if no_radiomics:
        return f"{trainer}_NoRadiomics"
    return f"{trainer}_NoClinical" if no_clinical else trainer


if __name__ == "__main__":
    raise SystemExit(main())
