"""``adamss_benchmark``: the paper's tables on any cohort, from the first training to the last P value."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.cli.early_checks import check_inputs, check_planned
from nnunetv2_adamss.cli.fold_options import add_mask_options, mask_settings
from nnunetv2_adamss.cli.former_spellings import MASKS_DIR, Renamed
from nnunetv2_adamss.cli.model_options import add_device_option, add_once_positional_model, add_plans_option
from nnunetv2_adamss.common.mask_flags import MASK_FLAGS
from nnunetv2_adamss.common.quiet import no_bar
from nnunetv2_adamss.methods.table import GROUPS, METHODS, choose_methods, method_name

if TYPE_CHECKING:
    from nnunetv2_adamss.benchmark.folders import BenchmarkFolders
    from nnunetv2_adamss.benchmark.rank_fusion_row import RankFusion
    from nnunetv2_adamss.benchmark.run_steps import Failure
    from nnunetv2_adamss.benchmark.steps import Step

_DESCRIPTION = """\
Compare AdaMSS with other methods, learning strategies and fusion strategies on one cohort (Tables I to IV of the
paper): train what is missing, predict, and write tables with intervals, P values, Dice, sizes and times. It can be
stopped or killed at any time; run it again to continue.
"""

_EXAMPLES = """\
examples:
  adamss_benchmark -d 510 -c 3d_fullres -p AdaMSSPlans -o BENCHMARK --dry_run             what would run
  adamss_benchmark -d 510 -c 3d_fullres -p AdaMSSPlans -o BENCHMARK                       all methods, all folds
  adamss_benchmark -d 510 -c 3d_fullres -p AdaMSSPlans -o BENCHMARK --methods table1 -f 0 1 --gpus 0 1
  adamss_benchmark -d 510 -c 3d_fullres -p AdaMSSPlans -o BENCHMARK --methods adamss icare --test 511 \\
                   --seeds 2024 1 2
  adamss_benchmark -d 510 -c 3d_fullres -p AdaMSSPlans -o BENCHMARK --methods table1 \\
                   --rank_fusion adamss icare lasso_cox
  adamss_benchmark -d 510 -c 3d_fullres -p AdaMSSPlans -o FIRST_LOOK --short_schedule -device cpu
  adamss_benchmark -d 510 -c 3d_fullres -p AdaMSSPlans -o BENCHMARK --profile slurm       on the nodes of a cluster

{methods}

Trainings lie where nnU-Net's do and count if they are there. BENCHMARK gets tables.md, table_1.csv to table_4.csv, a
log of every step in logs/, and the trainings of further seeds.
"""


def _methods() -> str:
    """List the names that ``--methods`` accepts."""
    of_tables = [
        f"{name}: {' '.join(method.name for method in methods if not method.is_baseline)}"
        for name, methods in GROUPS.items()
        if name.startswith("table")
    ]
    baselines = " ".join(method.name for method in METHODS if method.is_baseline)
    lines = [
        *of_tables,
        f"in every table, since they need no network: {baselines}",
        f"groups: {' '.join(GROUPS)}",
    ]
    fill = partial(textwrap.fill, width=115, subsequent_indent="    ")
    return "\n".join(["methods:", *(fill(f"  {line}") for line in lines)])


_MASKS = [name for name in MASK_FLAGS if name != "seg_trainer"]  # given by the methods


def build_parser() -> CommandParser:
    """Return the parser; mask options that the user does not give are absent from its result."""
    parser = CommandParser(
        "adamss_benchmark",
        _DESCRIPTION,
        _EXAMPLES.format(methods=_methods()),
        [MASKS_DIR, Renamed("--folds", "-f"), Renamed("--num_workers", "-np")],
    )
    add = parser.add_argument
    add_once_positional_model(parser)
    add("-o", dest="output", type=Path, metavar="BENCHMARK", required=True, help="folder of the results")
    add(
        "--methods",
        nargs="+",
        default=["all"],
        metavar="NAME",
        help="methods, by the names below or those of -tr, or groups (default: all)",
    )
    add(
        "--rank_fusion", nargs="+", default=[], metavar="NAME",
        help="add a row: the mean of the ranks by these methods, which are compared too",
    )  # fmt: skip
    add(
        "--test",
        metavar="DATASET2",
        help="raw data set of test patients, who are predicted by all folds together",
    )
    add("--steps_only", action="store_true", help="write no tables")
    add("--dry_run", action="store_true", help="only list the steps")
    _add_trainings(parser)
    _add_machine(parser)
    return parser


def _add_trainings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("trainings", "the same in every run into one folder")
    add = group.add_argument
    add(
        "-f",
        dest="folds",
        nargs="+",
        type=int,
        metavar="FOLD",
        help="default: all of the split; with masks out of fold Stage I is trained in all of them nevertheless",
    )
    add(
        "--seeds",
        nargs="+",
        type=int,
        default=[2024],
        metavar="S",
        help="repeat all trainings (default: 2024)",
    )
    add("--short_schedule", action="store_true", help="the trainers' _ShortSchedule, for a first look")
    add("--epochs", type=int, metavar="N", help="of the survival trainings (default: the trainers' own)")
    add_plans_option(group)
    add(
        "--survival_csv",
        type=Path,
        metavar="CSV",
        help="outcomes (default: survival.csv of the raw data set)",
    )
    add_mask_options(group, _MASKS, default_source="out_of_fold")


def _add_machine(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("machine")
    add = group.add_argument
    add_device_option(group)
    add(
        "-np",
        dest="num_workers",
        type=int,
        metavar="N",
        help="steps in parallel (default: one, one a GPU of --gpus, or the profile's jobs)",
    )
    add("--gpus", nargs="+", default=[], metavar="ID", help="CUDA devices, one for each worker")
    add(
        "--profile",
        metavar="NAME",
        help="snakemake's, such as one that runs the steps on a cluster (default: they run on this machine)",
    )


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code (0 done, 1 a step failed, 2 a user's error, 130 stopped)."""
    parser = build_parser()
    args = parser.parse_args(argv)
    _check(parser, args)
    return parser.run(lambda: _run(args), "stopped; run it again to continue.")


def _check(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    if args.gpus and args.num_workers not in (None, len(args.gpus)):
        parser.error(
            f"--gpus names {len(args.gpus)} devices, one for each worker, but -np is {args.num_workers}"
        )
    if args.gpus and args.device != "cuda":
        parser.error(f"--gpus needs -device cuda, not {args.device}")
    if args.gpus and args.profile is not None:
        parser.error("--gpus names devices of this machine, so it does not go with --profile")
    if args.num_workers is None and args.profile is None:
        args.num_workers = len(args.gpus) or 1
    if args.num_workers is not None and args.num_workers < 1:
        parser.error(f"-np is {args.num_workers}, but must be at least 1")
    for flag, values in (("-f", args.folds or []), ("--seeds", args.seeds)):
        if len(set(values)) < len(values) or min(values, default=0) < 0:
            parser.error(f"{flag} takes numbers from 0 on, each once")
    if hasattr(args, "mask_source") and hasattr(args, "masks_dir"):
        parser.error("--mask_source and --masks exclude each other")
    if hasattr(args, "masks_dir") and args.test:
        parser.error("--masks has masks of the training patients only, so it does not go with --test")


def _run(args: argparse.Namespace) -> int:
    from nnunetv2_adamss.survival.config import SurvivalConfig
    from nnunetv2_adamss.survival.nnunet_data.dataset import dataset_name

    chosen, fused = (list(map(method_name, names)) for names in (args.methods, args.rank_fusion))
    methods = choose_methods([*chosen, *fused])
    SurvivalConfig.from_dict({"epochs": args.epochs, **mask_settings(vars(args))})
    check_planned(args.dataset, args.plans, args.configuration, args.folds or ())
    check_inputs([args.survival_csv])
    dataset = dataset_name(args.dataset)
    test = None if args.test is None else dataset_name(args.test)

    from nnunetv2_adamss.benchmark.begin import begin
    from nnunetv2_adamss.benchmark.benchmark_settings import BenchmarkSettings, masks_of_benchmark
    from nnunetv2_adamss.benchmark.outdated import refuse_outdated_trainings
    from nnunetv2_adamss.benchmark.plan import plan_steps
    from nnunetv2_adamss.benchmark.present_cohort import PresentCohort, splits_of
    from nnunetv2_adamss.benchmark.rank_fusion_row import RankFusion
    from nnunetv2_adamss.benchmark.run_steps import check_snakemake, run_steps
    from nnunetv2_adamss.benchmark.steps import needed_steps
    from nnunetv2_adamss.common.device import torch_device

    fusion = RankFusion.of(fused) if fused else None
    settings = BenchmarkSettings(
        dataset,
        args.configuration,
        args.plans,
        tuple(range(len(splits_of(dataset)))) if args.folds is None else tuple(sorted(args.folds)),
        tuple(args.seeds),
        args.short_schedule,
        args.epochs,
        masks_of_benchmark(mask_settings(vars(args)), args.output.resolve()),
        None if args.survival_csv is None else str(args.survival_csv.resolve()),
        test,
    )
    folders = begin(settings, methods, args.output.resolve())
    steps = plan_steps(folders, methods, PresentCohort.read(settings), args.device)
    refuse_outdated_trainings(steps)
    if args.dry_run:
        _print_lines(_listed_steps(steps, folders))
        return 0
    failures: list[Failure] = []
    skipped: dict[str, str] = {}
    if all(step.is_done for step in needed_steps(steps)):
        settings.save(folders.output)
    else:
        check_snakemake()
        if args.profile is None:  # otherwise they may run on other machines
            torch_device(args.device, "train")
            _check_gpus(args.gpus)
        settings.save(folders.output)
        failures, skipped = run_steps(
            steps, folders.output, n_workers=args.num_workers, gpus=args.gpus, profile=args.profile
        )
    try:
        if not args.steps_only:
            _write(folders, methods, fusion)
    finally:
        _print_failures(failures, skipped)
    return 1 if failures else 0


def _check_gpus(names: Sequence[str]) -> None:
    """Raise ValueError if a worker would not see its GPU; names such as GPU-1a2b are not checked."""
    import torch

    granted = os.environ.get("CUDA_VISIBLE_DEVICES")
    there = (
        [str(number) for number in range(torch.cuda.device_count())]
        if granted is None
        else [name.strip() for name in granted.split(",")]
    )
    absent = [name for name in names if name.isdecimal() and name not in there]
    if absent and all(name.isdecimal() for name in there):
        whose = "this machine has" if granted is None else "CUDA_VISIBLE_DEVICES has"
        raise ValueError(f"--gpus names {', '.join(absent)}, but {whose} {', '.join(there) or 'none'}.")


def _write(folders: BenchmarkFolders, methods: Sequence[Any], fusion: RankFusion | None) -> None:
    from tqdm import tqdm

    from nnunetv2_adamss.benchmark.collect import GENERAL_NOTES, Collection
    from nnunetv2_adamss.benchmark.write_tables import TABLES_MD, write_tables

    collection = Collection(folders, methods, fusion)
    tables = collection.tables(lambda items, what: tqdm(items, desc=what, disable=no_bar()))
    written = write_tables(folders.output, tables, GENERAL_NOTES, collection.provenance())
    _print_lines(
        [
            (folders.output / TABLES_MD).read_text(encoding="utf-8"),
            f"Written to {folders.output}: {', '.join(file.name for file in written)}",
        ]
    )


def _listed_steps(steps: Sequence[Step], folders: BenchmarkFolders) -> Iterator[str]:
    from nnunetv2_adamss.benchmark.steps import needed_steps
    from nnunetv2_adamss.benchmark.workflow import lock_of
    from nnunetv2_adamss.common.file_locks import is_locked

    needed = needed_steps(steps)
    for step in steps:
        is_running = is_locked(lock_of(folders.output, step))
        state = "runs" if is_running else _state(step) if step in needed else "not needed"
        waits_for = ", ".join(dict.fromkeys([*step.needs, *step.after]))
        yield f"{state:<12}{step.name}{f'   after {waits_for}' if waits_for else ''}"
    yield f"{sum(step.is_done for step in needed)} of {len(needed)} steps are done."


def _print_lines(lines: Iterable[str]) -> None:
    """Print lines until the reader closes the pipe."""
    try:
        for line in lines:
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:  # by a program such as head, which has read enough
        # Otherwise Python would report at exit that it cannot write the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _state(step: Step) -> str:
    if step.is_done:
        return "done"
    return "continues" if step.will_resume else "to do"


def _print_failures(failures: Sequence[Failure], skipped: Mapping[str, str]) -> None:
    for failure in failures:
        print(
            f"adamss_benchmark: FAILED: {failure.step}: {failure.reason}; see {failure.log}", file=sys.stderr
        )
        for line in failure.last_lines:
            print(f"    {line}", file=sys.stderr)
    for name, needed in skipped.items():
        print(f"adamss_benchmark: left out: {name}, since it needs {needed}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
