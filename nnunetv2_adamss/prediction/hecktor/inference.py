"""Predict one patient in a container of HECKTOR 2025 or 2026: from ``/input`` to ``/output``."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Literal

import pandas as pd

from nnunetv2_adamss.common.case_names import CASE_ID
from nnunetv2_adamss.common.files import read_json, write_atomically, write_json
from nnunetv2_adamss.common.images import read_header
from nnunetv2_adamss.common.tables.csv_text import csv_text, read_csv
from nnunetv2_adamss.datasets.conversion.conversion_log import settings_for_new_patients
from nnunetv2_adamss.datasets.conversion.convert_patient import ENDING, convert_case
from nnunetv2_adamss.datasets.conversion.presets import COLUMNS, is_unknown, title_key
from nnunetv2_adamss.datasets.conversion.source_patients import PatientFiles
from nnunetv2_adamss.prediction.hecktor.earlier_results import RFS_FILE, remove_results
from nnunetv2_adamss.prediction.hecktor.masks import write_on_grid
from nnunetv2_adamss.prediction.model_files import opened_model
from nnunetv2_adamss.prediction.predict_patients import PredictionRequest, predict_patients
from nnunetv2_adamss.prediction.prediction_folder import MASKS, PREDICTIONS_FILE, PROVENANCE_FILE
from nnunetv2_adamss.prediction.provenance_file import read_provenance
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from nnunetv2_adamss.tn_stages.stage_model import StageModel

logger = logging.getLogger(__name__)

RfsOutput = Literal["days", "risk"]
_COLUMN_OF: dict[RfsOutput, str] = {"days": "predicted_time", "risk": "risk_score"}
_ENDINGS = (".mha", ".nii.gz", ".nii", ".nrrd")
_PATIENT = "patient"
_BOOLEANS = {"true": "1", "false": "0"}
# In the folder for temporary files.
_CONVERTED_CT = Path("imagesTs", f"{_PATIENT}_0000{ENDING}")
_PREDICTED_MASK = Path("prediction", MASKS, f"{_PATIENT}{ENDING}")


@dataclass(frozen=True)
class InferenceRequest:
    """Patient, model and settings of a prediction.

    Args:
        input: ``images/ct/*.mha``, ``images/pet/*.mha`` and ``ehr.json`` of one patient.
        output: where ``rfs.json``, ``images/<mask_name>/output.mha`` and the files of the stages are written.
        rfs_output: whether ``rfs.json`` holds days (higher for later events) or a risk (higher for earlier ones).
        model: nnU-Net's folder of a survival training, beside which its segmentation model lies, or a zip by
            ``adamss_export_model``.
        conversion_log: of the data set that the model was trained on; its ``settings`` are those of the conversion.
        mask_name: folder of the mask, whose name differs every year.
        stage_files: names of the files of T and N stage; written if ``adamss_fit_tn_stages`` was run for the model.
        folds: numbers, or ``all``.
        checkpoint_name: of every fold.
        device: cpu, cuda or mps.
        mirroring: whether Stage I mirrors; None for as in training.
    """

    input: Path
    output: Path
    rfs_output: RfsOutput
    model: Path
    conversion_log: Path
    mask_name: str = "head-neck-tumor-segmentation"
    stage_files: tuple[str, str] = ("t-stage.json", "n-stage.json")
    folds: Sequence[int | str] = (0, 1, 2, 3, 4)
    checkpoint_name: str = "checkpoint_best.pth"
    device: str = "cuda"
    mirroring: bool | None = None


@dataclass(frozen=True)
class InferenceReport:
    """Results of the prediction.

    Args:
        rfs: content of ``rfs.json``.
        stages: by ``T`` and ``N``; empty if none were fitted for the model.
        warnings: of conversion and prediction.
        seconds: of each step.
    """

    rfs: float
    stages: Mapping[str, str]
    warnings: Sequence[str]
    seconds: Mapping[str, float]


def predict_container(request: InferenceRequest) -> InferenceReport:
    """Convert, segment and predict one patient.

    ``rfs.json`` is written last, and results of an earlier run are removed first, so if it is there, all files are.
    Files are only written to ``output`` and to the folder for temporary files.

    Raises:
        ValueError: if input or model cannot be used.
    """
    remove_results(request.output, request.stage_files)
    settings = settings_for_new_patients(request.conversion_log)
    ct, pet = (_only_image(request.input / "images" / kind) for kind in ("ct", "pet"))
    with opened_model(request.model) as model_folder, TemporaryDirectory(prefix="adamss_") as folder:
        work = Path(folder)
        model = SurvivalModel.load(model_folder, request.folds, request.checkpoint_name)
        stage_model = StageModel.read(model_folder)
        clinical = _clinical(request.input / "ehr.json", _categories(model, stage_model))
        start = perf_counter()
        converted = convert_case(PatientFiles(_PATIENT, ct, pet, None), settings, work)
        seconds = {"conversion": perf_counter() - start}
        write_atomically(work / "clinical.csv", csv_text(clinical, index=False))
        row, provenance = _predict(request, model_folder, work)
        rfs = _rfs(row, provenance, request.rfs_output)
        start = perf_counter()
        mask = request.output / "images" / request.mask_name / "output.mha"
        write_on_grid(work / _PREDICTED_MASK, read_header(ct), mask)
        stages = {} if stage_model is None else _predict_stages(stage_model, work, clinical)
        for name, stage in zip(request.stage_files, stages.values(), strict=False):
            write_json(request.output / name, stage)
        write_json(request.output / RFS_FILE, rfs)
        seconds |= provenance["seconds_per_case"] | {"writing": perf_counter() - start}
    warnings = [
        *converted["warnings"],
        *filter(None, [row["warnings"]]),
        *_stage_warnings(model, stage_model),
    ]
    return InferenceReport(rfs, stages, warnings, seconds)


def _categories(model: SurvivalModel, stage_model: StageModel | None) -> dict[str, set[str]]:
    """Return the clinical columns that are used, with the categories of each in training; none for numbers."""
    found: dict[str, set[str]] = {}
    for one in [*model.indicators, *([] if stage_model is None else stage_model.indicators)]:
        found.setdefault(one.name, set()).update(one.levels, one.merged)
    return found


def _predict_stages(stage_model: StageModel, work: Path, clinical: pd.DataFrame) -> dict[str, str]:
    cells = {str(name): str(cell) for name, cell in clinical.iloc[0].items()}
    return stage_model.predict(work / _PREDICTED_MASK, work / _CONVERTED_CT, cells)


def _stage_warnings(model: SurvivalModel, stage_model: StageModel | None) -> list[str]:
    if stage_model is None or not stage_model.masks_sha256:
        return []
    used = {sha256 for name, sha256 in model.sha256.items() if name.startswith("Stage I ")}
    if used <= set(stage_model.masks_sha256.values()):
        return []
    return [
        "The T and N stage were fitted on masks of other Stage-I networks; run adamss_fit_tn_stages again."
    ]


def _only_image(folder: Path) -> Path:
    found = sorted(path for path in folder.glob("*") if path.name.casefold().endswith(_ENDINGS))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ValueError(f"Expected one image in {folder}, found {names}.")
    return found[0]


def _clinical(file: Path, categories: Mapping[str, Collection[str]]) -> pd.DataFrame:
    """Return the model's columns, by their names in the record or the challenge's tables; empty if unknown."""
    texts = {title_key(name): _text(name, value, file) for name, value in _record(file).items()}

    def cell(column: str) -> str:
        titles = (column, *(COLUMNS[column].titles if column in COLUMNS else ()))
        found = (_spelled(texts.get(title_key(title), ""), categories[column]) for title in titles)
        return next(filter(None, found), "")

    return pd.DataFrame([{CASE_ID: _PATIENT, **{column: cell(column) for column in categories}}])


def _spelled(text: str, categories: Collection[str]) -> str:
    """Return a value as the training cases spell it; empty if it stands for an unknown one and is no category."""
    if text in categories:
        return text
    as_number = _BOOLEANS.get(text.casefold(), text)
    spellings = {one.casefold(): one for one in sorted(categories)}
    for value in (text, as_number):
        if value.casefold() in spellings:
            return spellings[value.casefold()]
    return "" if is_unknown(text) else as_number


def _record(file: Path) -> dict[str, Any]:
    try:
        record = _only(read_json(file))
    except OSError as error:
        raise ValueError(f"{file} cannot be read as JSON ({error}).") from error
    if not isinstance(record, dict):
        raise ValueError(f'{file} holds {str(record)[:40]}, expected one object such as {{"Age": 60}}.')
    return record


def _text(name: str, value: Any, file: Path) -> str:
    value = _only(value)
    if isinstance(value, list | dict):
        raise ValueError(f"{file} has {str(value)[:40]} as {name}, expected a number or a text.")
    return "" if value is None else str(value).strip()


def _only(value: Any) -> Any:
    """Return the item of a list of one: some tools write tables of one row in this way."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _predict(
    request: InferenceRequest, model_folder: Path, work: Path
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the patient's row of the predictions, and its provenance."""
    report = predict_patients(
        PredictionRequest(
            model_folder=model_folder,
            images=work / "imagesTs",
            output=work / "prediction",
            folds=request.folds,
            checkpoint_name=request.checkpoint_name,
            device=request.device,
            clinical_csv=work / "clinical.csv",
            mirroring=request.mirroring,
        )
    )
    if report.failed:
        raise ValueError(f"The patient cannot be predicted: {report.failed[_PATIENT]}.")
    row = read_csv(report.folder / PREDICTIONS_FILE, keep_default_na=False).iloc[0].to_dict()
    provenance = read_provenance(report.folder / PROVENANCE_FILE, "time_unit", "seconds_per_case")
    return {str(name): value for name, value in row.items()}, provenance


def _rfs(row: Mapping[str, Any], provenance: Mapping[str, Any], rfs_output: RfsOutput) -> float:
    if rfs_output == "days" and provenance["time_unit"] != "days":
        raise ValueError(
            f"The model counts in {provenance['time_unit']}, so it cannot predict days; train it on days."
        )
    return float(row[_COLUMN_OF[rfs_output]])
