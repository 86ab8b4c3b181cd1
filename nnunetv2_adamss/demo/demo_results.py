"""The demo's results: Dice beside a guess without the image, C-index beside tumour volume."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from nnunetv2_adamss.common.images import read_image
from nnunetv2_adamss.common.tables.csv_text import read_csv
from nnunetv2_adamss.demo.demo_steps import DemoFolders
from nnunetv2_adamss.display.blocks import Table
from nnunetv2_adamss.display.words import three_decimals, with_interval
from nnunetv2_adamss.metrics.concordance import Concordance, bootstrap_harrell_c
from nnunetv2_adamss.metrics.image_blind_prior import ImageBlindPrior, dice, read_foreground
from nnunetv2_adamss.metrics.volume_and_uptake import tumour_volume_ml
from nnunetv2_adamss.survival.nnunet_data.dataset_json import read_dataset_json
from nnunetv2_adamss.survival.nnunet_data.validation_summary import read_label_metrics


def dice_table(folders: DemoFolders) -> Table:
    """Make a table with a row for each label from nnU-Net's summary, all tumour together, and the image-blind prior."""
    rows = [
        [
            label,
            three_decimals(float(np.mean(values))),
            *(three_decimals(f(values)) for f in (min, max)),
            str(len(values)),
        ]
        for label, values in _dice_by_label(folders)
    ]
    return Table("", ["Dice on held-out synthetic cases", "mean", "lowest", "highest", "cases"], rows)


def _dice_by_label(folders: DemoFolders) -> Iterator[tuple[str, list[float]]]:
    """Read the Dice of each case in which the label occurs or was predicted."""
    metrics = read_label_metrics(folders.masks / "summary.json")
    labels: Mapping[str, int] = read_dataset_json(folders.raw / "dataset.json", "labels")["labels"]
    for name, value in labels.items():
        if value != 0:
            by_case = [case["Dice"] for case in metrics.get(str(value), [])]
            # nnU-Net writes NaN where a label neither occurs nor is predicted.
            yield name, [d for d in by_case if not np.isnan(d)]
    references = sorted((folders.raw / "labelsTs").glob("*.nii.gz"))
    truths = {path.name: read_foreground(path) for path in references}
    predicted = {path.name: read_foreground(folders.masks / path.name, like=path) for path in references}
    yield "all tumour", [dice(predicted[name], truth) for name, truth in truths.items()]
    prior = ImageBlindPrior([read_foreground(p) for p in sorted((folders.raw / "labelsTr").glob("*.nii.gz"))])
    yield "all tumour, guessed without the image", [dice(prior.predict(t.shape), t) for t in truths.values()]


def c_index_table(folders: DemoFolders) -> Table:
    """Make a table of the validation patients' C-index: Stage II, the baselines, and the risk that made the times."""
    rows = [
        [name, with_interval(found.c_index, found.interval), str(found.n_pairs)]
        for name, found in _c_indices(folders).items()
    ]
    note = "So few patients show that it runs, not how good it is."
    return Table("", ["C-index of validation patients", "C [95% interval]", "pairs"], rows, [note])


def _c_indices(folders: DemoFolders) -> dict[str, Concordance]:
    validation = folders.survival_fold / "validation"
    predicted = read_csv(validation / "survival_predictions.csv", index_col="case_id")
    truth = read_csv(folders.raw / "phantom_truth.csv", index_col="case_id").loc[predicted.index]
    outcomes = read_csv(folders.raw / "survival.csv", index_col="case_id").loc[predicted.index]
    event, time = outcomes["event"].to_numpy(dtype=bool), outcomes["time"].to_numpy()
    volume = [tumour_volume_ml(folders.raw / "labelsTr" / f"{case_id}.nii.gz") for case_id in predicted.index]
    risks = {"AdaMSS": predicted["risk_score"].to_numpy()}
    # If neither an indicator nor a feature was chosen, there is no such model.
    covariates_only = validation / "covariates_only_cox_predictions.csv"
    if covariates_only.is_file():
        table = read_csv(covariates_only, index_col="case_id").loc[predicted.index]
        risks["its covariates without the image"] = table["risk_score"].to_numpy()
    risks["tumour volume alone"] = np.array(volume)
    risks["the true risk"] = truth["true_risk"].to_numpy()
    return {name: bootstrap_harrell_c(risk, event, time) for name, risk in risks.items()}


def example_picture(folders: DemoFolders, output: Path) -> None:
    """Draw CT and PET of a few held-out cases with true and predicted outlines, as a PNG."""
    from nnunetv2_adamss.display.charts import Chart, save_png  # noqa: PLC0415  takes a second

    names = [
        path.name.removesuffix(".nii.gz") for path in sorted((folders.raw / "labelsTs").glob("*.nii.gz"))[:3]
    ]
    with Chart(4 * len(names), 8) as chart:
        axes = chart.axes(2, len(names))
        for column, name in zip(axes.T, names, strict=True):
            ct = folders.raw / "imagesTs" / f"{name}_0000.nii.gz"
            truth = read_foreground(folders.raw / "labelsTs" / f"{name}.nii.gz", like=ct)
            prediction = read_foreground(folders.masks / f"{name}.nii.gz", like=ct)
            z = int(np.argmax(truth.sum(axis=(1, 2))))
            windows = (("0000", "CT", "gray", (-200, 300)), ("0001", "PET", "gray_r", (0, 10)))
            for axis, (channel, modality, colours, limits) in zip(column, windows, strict=True):
                image = read_image(folders.raw / "imagesTs" / f"{name}_{channel}.nii.gz").voxels[z]
                axis.imshow(image, cmap=colours, vmin=limits[0], vmax=limits[1], origin="lower")
                axis.contour(truth[z], levels=[0.5], colors="tab:green")
                axis.contour(prediction[z], levels=[0.5], colors="tab:red", linestyles="dashed")
                axis.set(title=f"{name}, {modality}", xticks=[], yticks=[])
        chart.figure.suptitle("Synthetic held-out cases: true outline green, predicted red and dashed")
        save_png(chart.figure, output)
