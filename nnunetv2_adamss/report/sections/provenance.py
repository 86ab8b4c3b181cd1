"""Model, settings and files of the training: enough to see if two reports are about the same model."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from nnunetv2_adamss.display.blocks import Block, Facts, Notice, Table
from nnunetv2_adamss.display.words import NONE, joined, significant
from nnunetv2_adamss.survival.config import CONFIG_FILE
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.fold_files import SUMMARY_FILE
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold


def model_facts(source: CrossValidation) -> Iterator[Block]:
    """Show names, versions and the plan."""
    settings = source.folds[0].summary["settings"]
    yield Facts(
        [
            ("Data set", source.dataset),
            ("Stage I", f"{settings['seg_trainer']}, {settings['seg_checkpoint']}"),
            ("Stage II", source.trainer),
            ("Plan and configuration", f"{source.plans_name}, {source.configuration}"),
            ("Predictions from", joined(sorted({_epoch(fold) for fold in source.folds}))),
            ("Results in", str(source.model_folder)),
            ("Report written by", f"nnunetv2-adamss {version('nnunetv2-adamss')}"),
        ]
    )


def _epoch(fold: TrainedFold) -> str:
    return f"the {fold.summary['predictions_from']} epoch"


def plan_facts(source: CrossValidation) -> Iterator[Block]:
    """Show voxels, patches and normalisation of nnU-Net's plan."""
    plan = PlansManager(dict(source.plans)).get_configuration(source.configuration)
    channels = channel_names(source.dataset_json)
    schemes = zip(channels, plan.normalization_schemes, strict=True)
    yield Facts(
        [
            ("Voxels", f"{' x '.join(f'{mm:g}' for mm in plan.spacing)} mm"),
            ("Patch of Stage I", f"{' x '.join(map(str, plan.patch_size))} voxels, batch of {plan.batch_size}"),
            ("Intensities", "; ".join(f"{channel}: {scheme}" for channel, scheme in schemes)),
        ]
    )  # fmt: skip


def settings_table(source: CrossValidation) -> Iterator[Block]:
    """Show the settings; in one column if all folds share them."""
    by_fold = {fold.name: fold.summary["settings"] for fold in source.folds}
    names = list(dict.fromkeys(name for settings in by_fold.values() for name in settings))
    rows = [[name, _same_or_each(by_fold, name)] for name in names]
    yield Table(
        "Settings of Stage II",
        ["Setting", "Value"],
        rows,
        [f"From {SUMMARY_FILE}; {CONFIG_FILE} in a fold's folder repeats the training."],
        is_prose=True,
    )


def _same_or_each(by_fold: Mapping[str, Mapping[str, Any]], name: str) -> str:
    values = {fold: _shown(settings.get(name)) for fold, settings in by_fold.items()}
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    return "; ".join(f"{fold}: {value}" for fold, value in values.items())


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def interval_edges(source: CrossValidation) -> Iterator[Block]:
    """Show the time intervals that each fold predicts, in the table's unit."""
    edges = {fold.name: fold.summary["interval_edges"] for fold in source.folds}
    longest = max(map(len, edges.values()))
    rows = [
        [name, *(significant(edge, 4) for edge in own[1:]), *[NONE] * (longest - len(own))]
        for name, own in edges.items()
    ]
    unit = source.folds[0].summary["time_unit"]
    yield Table(
        f"Right edges of the time intervals ({unit})",
        ["Fold", *(str(number) for number in range(1, longest))],
        rows,
        [f"Edges: {interval_words(source)}. Nothing is predicted beyond the last one."],
    )


def interval_words(source: CrossValidation) -> str:
    """Describe where the edges of the time intervals come from."""
    settings = source.folds[0].summary["settings"]
    if settings.get("interval_edges"):
        return "as given in the settings"
    if settings["interval_rule"] == "authors_days":
        return "the fixed ones of the authors' software"
    return f"{settings['interval_rule']}, fitted on the training patients of each fold"


def software(source: CrossValidation) -> Iterator[Block]:
    """Show the versions of packages that the folds were trained with."""
    versions = {name: v for fold in source.folds for name, v in fold.summary["versions"].items()}
    yield Table("Software", ["Package", "Version"], list(versions.items()))
    several = [
        name
        for name in versions
        if len({fold.summary["versions"].get(name) for fold in source.folds}) > 1
    ]  # fmt: skip
    if several:
        yield Notice(f"The folds were trained with different versions of {joined(several)}.", is_caution=True)


def files(source: CrossValidation) -> Iterator[Block]:
    """Show the SHA-256 of every file that a fold depends on."""
    rows: dict[tuple[str, str], list[str]] = {}
    for fold in source.folds:
        for name, sha256 in fold.summary.get("sources_sha256", {}).items():
            rows.setdefault((name, sha256), []).append(str(fold.number))
    if rows:
        yield Table(
            "Files that the folds were trained from (SHA-256)",
            ["File", "Folds", "SHA-256"],
            [[name, ", ".join(folds), sha256] for (name, sha256), folds in rows.items()],
            is_prose=True,
        )
