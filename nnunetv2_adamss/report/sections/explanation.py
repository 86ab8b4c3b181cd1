"""Explanations of the network, if ``adamss_explain`` was run."""

from collections.abc import Iterator

import pandas as pd

from nnunetv2_adamss.common.tables.csv_text import read_csv
from nnunetv2_adamss.display.blocks import Block, Notice, Picture, Table
from nnunetv2_adamss.display.charts import picture_of
from nnunetv2_adamss.display.words import count, number, significant
from nnunetv2_adamss.explanation.explain_fold import EXPLANATION_FOLDER
from nnunetv2_adamss.explanation.explanation_folder import ExplanationFolder
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold

_CHANGE_BY = "change_by_"
_MOST_PICTURES = 4


def explanations(source: CrossValidation) -> Iterator[Block]:
    """Show gate weights, attention and occlusion of every explained fold."""
    absent = [fold for fold in source.folds if not (fold.folder / EXPLANATION_FOLDER).is_dir()]
    for fold in source.folds:
        if fold not in absent:
            yield from _fold(fold)
    if absent:
        names = ", ".join(str(fold.number) for fold in absent)
        yield Notice(
            f"Not explained yet: fold {names}. `adamss_explain {source.dataset} {source.configuration} "
            f"{absent[0].number} -tr {source.trainer} -p {source.plans_name}` writes gate weights, attention and "
            "occlusion maps; this report then shows them."
        )
    if len(absent) < len(source.folds):
        yield Notice(
            "Attention shows where the decoder lets features pass, not why a risk is high; occlusion shows what "
            "changes this network's output, not what causes the event.",
            is_caution=True,
        )


def _fold(fold: TrainedFold) -> Iterator[Block]:
    folder = ExplanationFolder(fold.folder / EXPLANATION_FOLDER)
    if folder.gate_weights.is_file():
        yield _gate_weights(fold, read_csv(folder.gate_weights))
    if folder.modality_occlusion.is_file():
        yield _modalities(fold, read_csv(folder.modality_occlusion, dtype={"case_id": str}))
    for kind, meaning in (
        ("attention", "attention of Stage I and Stage II over the images, with the tumour mask's outline"),
        ("occlusion", "change of the risk score where a block of the image is blanked"),
    ):
        yield from _pictures(fold, kind, meaning)


def _modalities(fold: TrainedFold, table: pd.DataFrame) -> Table:
    rows = [
        [
            str(name).removeprefix(_CHANGE_BY),
            *(significant(float(value)) for value in table[name].quantile([0.5, 0, 1])),
        ]
        for name in table
        if str(name).startswith(_CHANGE_BY)
    ]
    return Table(
        f"{fold.name}: how much of the risk score ({fold.summary['time_unit']}) each modality causes, in "
        f"{count(len(table), 'patient')}",
        ["Modality", "Median", "Lowest", "Highest"],
        rows,
        ["Risk score minus the risk score without that modality; above 0 the modality raised the risk."],
    )


def _gate_weights(fold: TrainedFold, table: pd.DataFrame) -> Table:
    rows = [
        [str(row["encoder_stage"]), number(row["stage_one"], 3), number(row["stage_two"], 3)]
        for row in table.to_dict("records")
    ]
    return Table(
        f"{fold.name}: mean weight of the fused branch in each fusion gate (the paper's Table IV)",
        ["Encoder stage", "After Stage I", "After Stage II"],
        rows,
        [
            "0.5 weighs the fused branch and the two modalities' own branches alike; above, the fused branch counts "
            "more."
        ],
    )


def _pictures(fold: TrainedFold, kind: str, meaning: str) -> Iterator[Picture]:
    files = sorted((fold.folder / EXPLANATION_FOLDER / kind).glob("*.png"))
    for file in files[:_MOST_PICTURES]:
        more = (
            f" {len(files) - _MOST_PICTURES} more lie in {file.parent}."
            if len(files) > _MOST_PICTURES
            else ""
        )
        last = more if file == files[:_MOST_PICTURES][-1] else ""
        yield picture_of(file, f"{file.stem}: {meaning}.", f"{fold.name}, {file.stem}: {meaning}.{last}")
