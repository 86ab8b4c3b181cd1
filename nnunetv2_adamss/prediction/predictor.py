"""Predict the survival of new patients from raw images, like nnU-Net's predictor."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import torch
from joblib import delayed
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
from nnunetv2.utilities.helpers import dummy_context
from numpy.typing import NDArray

from nnunetv2_adamss.common.device import torch_device
from nnunetv2_adamss.common.files import given_path
from nnunetv2_adamss.common.images import tumour_of
from nnunetv2_adamss.common.parallel import in_parallel
from nnunetv2_adamss.networks.survival_network import SurvivalNetwork
from nnunetv2_adamss.prediction.model_files import choose_checkpoints, opened_model
from nnunetv2_adamss.prediction.patient_images import PatientImages, given_patients
from nnunetv2_adamss.prediction.patient_prediction import FoldPrediction, PatientPrediction
from nnunetv2_adamss.prediction.patient_tables import PatientTables
from nnunetv2_adamss.prediction.prediction_folder import MaskFiles
from nnunetv2_adamss.prediction.result_tables import ResultTables
from nnunetv2_adamss.prediction.survival_model import SurvivalModel
from nnunetv2_adamss.prediction.tumours import StageOneTumours, Tumour, TumourFinder
from nnunetv2_adamss.radiomics.extract_case import extract_case
from nnunetv2_adamss.radiomics.needed_features import only_needed
from nnunetv2_adamss.radiomics.request import RadiomicsCase, RadiomicsRequest
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateTables
from nnunetv2_adamss.survival.covariates.remarks import remarks_on
from nnunetv2_adamss.survival.nnunet_data.plan_stages import stages_of
from nnunetv2_adamss.survival.pooling import predict_region
from nnunetv2_adamss.survival.tumour_region.case_regions import CaseRegion, locate_region
from nnunetv2_adamss.survival.tumour_region.preprocessed_grid import PreprocessedGrid
from nnunetv2_adamss.survival.tumour_region.region import (
    crop_size,
    read_within_image,
    region_size,
)
from nnunetv2_adamss.trained_folds.survival_checkpoint import SurvivalCheckpoint

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class PreparedPatient:
    """A patient whose images are read, checked and preprocessed.

    Args:
        images: the files.
        data: preprocessed by nnU-Net, ``(channels, *space)``.
        properties: nnU-Net's, of the case.
        seconds: duration of this.
    """

    images: PatientImages
    data: NDArray[np.float32] = field(repr=False)
    properties: dict[str, Any] = field(repr=False)
    seconds: float


class SurvivalPredictor:
    """A model that is loaded once and predicts many patients.

    Args:
        model: the folds.
        tumours: finds their tumours.
        device: where the survival networks run.

    Examples:
        >>> import nnunetv2_adamss as adamss
        >>> predictor = adamss.SurvivalPredictor.from_model("model.zip")
        >>> images = {"anna": ["anna_ct.nii.gz", "anna_pet.nii.gz"]}
        >>> table = predictor.predict_images(images, clinical="patients.csv", output="OUT")
        >>> list(table.columns[:4])
        ['case_id', 'risk_score', 'predicted_time', 'risk_group']
    """

    def __init__(self, model: SurvivalModel, tumours: TumourFinder, device: torch.device) -> None:
        self.model = model
        self.tumours = tumours
        self.device = device
        self.networks: dict[int | str, SurvivalNetwork] = {
            fold.number: fold.build_network().to(device) for fold in model.folds
        }
        configuration = model.first.configuration_manager
        self.preprocessor = configuration.preprocessor_class(verbose=False)
        self.total_stride = stages_of(configuration).total_stride
        self.region_size = region_size(configuration.spacing, self.total_stride)
        self.crop_size = crop_size(configuration.spacing, self.total_stride)

    @classmethod
    def from_model(
        cls,
        model: str | Path,
        folds: Sequence[int | str] | None = None,
        checkpoint_name: str | None = None,
        device: str | None = None,
    ) -> "SurvivalPredictor":
        """Load a model from nnU-Net's folder of a training, or from a zip by ``adamss_export_model``.

        Args:
            model: the zip, or nnU-Net's ``TRAINER__PLANS__CONFIGURATION``, which has Stage I beside it.
            folds: numbers, or ``all``; default every numbered fold that is not in training, or else ``all``.
            checkpoint_name: of every fold; default ``checkpoint_best.pth``, for fold ``all``
                ``checkpoint_final.pth``.
            device: ``cuda``, ``cpu`` or ``mps``; default ``cuda`` if there is a GPU, else ``cpu``.

        Raises:
            ValueError: if the model or the device does not exist, or a checkpoint cannot be used.
        """
        name = device or ("cuda" if torch.cuda.is_available() else "cpu")
        on = torch_device(name, "predict")
        with opened_model(given_path("model", model, "a folder or a zip")) as folder:
            return cls.from_model_folder(folder, *choose_checkpoints(folder, folds, checkpoint_name), on)

    @classmethod
    def from_model_folder(
        cls,
        folder: Path,
        folds: Sequence[int | str],
        checkpoint_name: str = "checkpoint_best.pth",
        device: torch.device = torch.device("cuda"),  # noqa: B008  as nnU-Net's predictor
    ) -> "SurvivalPredictor":
        """Load a model from its training folder, with its own Stage-I networks.

        Args:
            folder: nnU-Net's ``TRAINER__PLANS__CONFIGURATION`` of a survival training.
            folds: numbers, or ``all``.
            checkpoint_name: of every fold.
            device: where the networks run.

        Raises:
            ValueError: if a checkpoint cannot be used.
        """
        model = SurvivalModel.load(folder, folds, checkpoint_name)
        return cls(model, StageOneTumours(model, device, model.first.survival.config.mirroring), device)

    def predict_images(
        self,
        images: str | Path | Mapping[str, Sequence[str | Path]],
        *,
        clinical: str | Path | pd.DataFrame | None = None,
        features: str | Path | pd.DataFrame | None = None,
        output: str | Path | None = None,
    ) -> pd.DataFrame:
        """Predict survival from raw image files, in one call.

        The results are those of ``adamss_predict_survival``, which also continues after a stop and leaves out patients
        that cannot be predicted.

        Args:
            images: folder of images named ``CASE_0000``, ``CASE_0001``; or by ``case_id`` the files of each patient,
                one a channel, in the order of the model's channels.
            clinical: data frame or CSV file with ``case_id``, as column or index, and the clinical columns that the
                model uses.
            features: the same with features of your own that the model uses.
            output: folder in which the tumour masks are kept, in ``masks``; default nowhere.

        Returns:
            One row a patient: risk score, predicted time, risk group, survival at common times, warnings.

        Raises:
            ValueError: naming the patient or the table, if anything cannot be used.
        """
        patients = given_patients(images, self.model.channel_names, self.model.dataset_json["file_ending"])
        tables = PatientTables.given(self.model, clinical, features)
        with TemporaryDirectory() as folder:
            root = given_path("output", folder if output is None else output, "a folder")
            predictions = [self._predict_files(patient, tables, root) for patient in patients]
        return ResultTables(self.model).survival(predictions)

    def _predict_files(self, images: PatientImages, tables: PatientTables, root: Path) -> PatientPrediction:
        case_id = images.case_id
        name = f"{case_id}{self.model.dataset_json['file_ending']}"
        try:
            if faults := tables.faults_of(case_id, self.model):
                raise ValueError("; ".join(faults))
            files = MaskFiles.below(root, name, self.model.fold_numbers)
            return self.predict(self.prepare(images), tables, files)
        except ValueError as error:
            raise ValueError(f"{case_id}: {error}") from error

    def prepare(self, images: PatientImages) -> PreparedPatient:
        """Read, check and preprocess the images as nnU-Net's prediction does; may run beside another prediction.

        Raises:
            ValueError: if the images are not there, cannot be read, do not lie on one grid, or have one value
                throughout.
        """
        start = perf_counter()
        first = self.model.first
        reader = first.plans_manager.image_reader_writer_class
        with images.checked(self.model.channel_names, issubclass(reader, SimpleITKIO)) as files:
            data, _, properties = self.preprocessor.run_case(
                files,
                None,
                first.plans_manager,
                first.configuration_manager,
                dict(self.model.dataset_json),
            )
        return PreparedPatient(images, np.asarray(data, dtype=np.float32), properties, perf_counter() - start)

    def predict(self, patient: PreparedPatient, tables: PatientTables, files: MaskFiles) -> PatientPrediction:
        """Find the tumour, describe it, and predict survival, fold by fold.

        Args:
            patient: preprocessed.
            tables: covariates.
            files: where masks are written.

        Raises:
            ValueError: if a mask or a covariate that the model needs cannot be used.
        """
        case_id, seconds = patient.images.case_id, {"preprocessing": patient.seconds}
        with _timed(seconds, "segmentation"):
            tumours = self.tumours.find(patient.data, patient.properties, patient.images, files)
        with _timed(seconds, "radiomics"):
            radiomics = self._radiomics(patient.images, tables, tumours)
        with _timed(seconds, "survival"):
            folds = {}
            for fold in self.model.folds:
                number = fold.number
                covariates = tables.of_case(case_id, radiomics[number])
                folds[str(number)] = self._predict_fold(fold, patient, tumours[number], covariates)
        return PatientPrediction(
            case_id,
            folds,
            clinical=tables.clinical_values(case_id),
            features=tables.feature_values(case_id),
            radiomics={str(number): dict(values) for number, values in radiomics.items()},
            seconds=seconds,
        )

    def _radiomics(
        self, images: PatientImages, tables: PatientTables, tumours: Mapping[int | str, Tumour]
    ) -> dict[int | str, dict[str, float]]:
        """Extract the features that each fold uses, from its own mask."""
        wanted = {
            fold.number: [
                name for name in fold.survival.covariates.features.names if name in tables.to_extract
            ]
            for fold in self.model.folds
        }
        tasks = [
            delayed(_extract)(
                fold.number,
                RadiomicsCase(images.case_id, images.files, tumours[fold.number].file),
                (fold.survival.radiomics or {})["request"],
                wanted[fold.number],
            )
            for fold in self.model.folds
            if wanted[fold.number]
        ]
        # One process for each fold: pyradiomics' time grows with the tumour, and a clinic waits for one patient.
        found: dict[int | str, dict[str, float]] = {number: {} for number in wanted}
        found |= in_parallel(tasks, min(len(tasks), torch.get_num_threads()) or 1)
        return found

    def _predict_fold(
        self, fold: SurvivalCheckpoint, patient: PreparedPatient, tumour: Tumour, tables: CovariateTables
    ) -> FoldPrediction:
        region = self._region(patient, tumour)
        case_id, covariates = patient.images.case_id, fold.survival.covariates
        inputs = covariates.apply(tables, [case_id])[case_id]
        image, valid = read_within_image(patient.data, region.region, self.total_stride)
        batch = [torch.from_numpy(array)[None].to(self.device) for array in (image, valid, inputs)]
        network = self.networks[fold.number]
        with torch.no_grad(), self._autocast():
            outputs = predict_region(
                network, *batch, pool=fold.survival.config.pool, crop_size=self.crop_size
            )
        if not torch.isfinite(outputs).all():
            raise ValueError(f"the survival network of fold {fold.number} gives no finite number")
        return FoldPrediction(
            survival_prob=network.survival_prob(outputs.cpu().double())[0].tolist(),
            tumour_found=region.tumour_found,
            share_of_mask=region.share_of_mask,
            remarks=remarks_on(covariates, tables, [case_id])[case_id],
        )

    def _region(self, patient: PreparedPatient, tumour: Tumour) -> CaseRegion:
        plans_manager = self.model.first.plans_manager
        ignore_label = plans_manager.get_label_manager(dict(self.model.dataset_json)).ignore_label
        grid = PreprocessedGrid.of_case(
            patient.properties, plans_manager.transpose_forward, patient.data.shape[1:]
        )
        return locate_region(
            tumour_of(tumour.mask, ignore_label), tumour.likeliest_point, grid, self.region_size
        )

    def _autocast(self) -> Any:
        # As in nnU-Net: mixed precision on CUDA only.
        return torch.autocast("cuda") if self.device.type == "cuda" else dummy_context()


def _extract(
    fold: int | str, case: RadiomicsCase, settings: Mapping[str, Any], columns: list[str]
) -> tuple[int | str, dict[str, float]]:
    """Extract the features that a fold uses, in a separate process; return them with the fold's number."""
    request = only_needed(RadiomicsRequest.from_dict(settings), columns)
    found = extract_case(case, request).features
    return fold, {name: found[name] for name in columns if name in found}


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    start = perf_counter()
    yield
    seconds[step] = perf_counter() - start
