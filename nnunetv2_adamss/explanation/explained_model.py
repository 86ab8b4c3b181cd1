"""The networks of both stages of a trained fold, with the fold's cases."""

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from nnunetv2.training.dataloading.nnunet_dataset import nnUNetBaseDataset
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from nnunetv2_adamss.common.device import torch_device
from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.common.images import tumour_of
from nnunetv2_adamss.common.quiet import no_bar
from nnunetv2_adamss.explanation.explained_case import ExplainedCase
from nnunetv2_adamss.explanation.gate_weights import STAGES
from nnunetv2_adamss.explanation.occlusion import RiskOf
from nnunetv2_adamss.explanation.region_space import RegionSpace
from nnunetv2_adamss.networks.adamss import AdaMSSSurvival
from nnunetv2_adamss.networks.trunk import Interpretation
from nnunetv2_adamss.survival.covariates.covariate_tables import CovariateUse
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.foreign_files.preprocessed_cases import open_cases
from nnunetv2_adamss.survival.nnunet_data.case_geometry import image_shape, read_case_mask
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names, model_folder
from nnunetv2_adamss.survival.nnunet_data.plan_stages import stages_of
from nnunetv2_adamss.survival.pooling import predict_region
from nnunetv2_adamss.survival.setup import STAGE_ONE_WEIGHTS, SurvivalSetup
from nnunetv2_adamss.survival.training_data.case_data import CaseData
from nnunetv2_adamss.survival.training_data.samples import WholeRegions
from nnunetv2_adamss.survival.tumour_region.case_regions import find_regions
from nnunetv2_adamss.survival.tumour_region.mask_source import mask_provenance
from nnunetv2_adamss.survival.tumour_region.preprocessed_grid import PreprocessedGrid
from nnunetv2_adamss.survival.tumour_region.region import Region, crop_size, region_size
from nnunetv2_adamss.trained_folds.prediction import SurvivalPrediction
from nnunetv2_adamss.trained_folds.survival_checkpoint import SurvivalCheckpoint
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold


@dataclass(frozen=True, eq=False)
class ExplainedModel:
    """The networks of a trained fold, with the present state of everything that they were trained with.

    Args:
        checkpoint: of Stage II.
        setup: table, covariates, masks and Stage-I network.
        stage_two: the survival network, in evaluation mode.
        stage_one: the same network with Stage I's encoder and decoder; its survival head is meaningless.
        device: of the networks.
    """

    checkpoint: SurvivalCheckpoint
    setup: SurvivalSetup
    stage_two: AdaMSSSurvival
    stage_one: AdaMSSSurvival
    device: torch.device

    @classmethod
    def open(cls, checkpoint: SurvivalCheckpoint, device: torch.device) -> "ExplainedModel":
        """Read and check everything that the fold was trained with; write nothing.

        Raises:
            ValueError: if it is gone or has changed.
        """
        nnunet_fold = checkpoint.nnunet_fold
        fold = checkpoint.survival.with_paths_of(checkpoint.file.parent)
        setup = SurvivalSetup.resume(nnunet_fold, fold, nnunet_fold.split(), _covariate_use(fold))
        stage_two = checkpoint.build_network()
        if not (isinstance(stage_two, AdaMSSSurvival) and stage_two.fusion_gates):
            raise ValueError(
                f"{checkpoint.trainer} has another network than AdaMSS with its fusion gates, and only that can be "
                "explained."
            )
        stage_one = copy.deepcopy(stage_two)
        stage_one.load_stage_one(setup.stage_one.weights())
        if sha256_of(setup.stage_one.checkpoint) != fold.sources[STAGE_ONE_WEIGHTS]:
            raise ValueError(
                f"The Stage-I checkpoint {setup.stage_one.checkpoint} is not the one that {checkpoint.file} started "
                "from. Bring the old one back, or train Stage II again."
            )
        return cls(checkpoint, setup, stage_two.to(device), stage_one.to(device), device)

    @property
    def is_in_sample(self) -> bool:
        """True if there are only training cases: fold ``all`` has no others."""
        return not self.setup.fold.validation_cases

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The validation cases, or all cases of fold ``all``."""
        fold = self.setup.fold
        return fold.training_cases if self.is_in_sample else fold.validation_cases

    @property
    def time_unit(self) -> str:
        """Time unit of predicted times, and so of risk scores."""
        return self.setup.fold.time_unit

    @property
    def channels(self) -> list[str]:
        """Unique names of the modalities, fit for columns and files."""
        names = channel_names(self.checkpoint.nnunet_fold.dataset_json)
        words = [re.sub(r"\W+", "_", name) for name in names]
        return [word if words.count(word) == 1 else f"{word}_{i}" for i, word in enumerate(words)]

    @property
    def configuration(self) -> ConfigurationManager:
        """nnU-Net's configuration, with spacing and batch size."""
        return self.checkpoint.configuration_manager

    @property
    def total_stride(self) -> list[int]:
        """Voxels of the region for one voxel of the deepest stage, per axis."""
        return stages_of(self.configuration).total_stride

    # ------------------------------------------------------------------------------------------- the data

    def read(self, case_ids: Sequence[str]) -> Iterator[ExplainedCase]:
        """Read the cases in turn, as validation reads them, and predict masks that are missing.

        Raises:
            ValueError: if a mask cannot be used.
        """
        dataset = open_cases(self.checkpoint.nnunet_fold.cases_folder, case_ids)
        regions = self._regions(case_ids, dataset)
        samples = WholeRegions(CaseData.of_setup(self.setup, dataset, regions), self.total_stride)
        for case_id in case_ids:
            data, _, _, properties = dataset.load_case(case_id)
            manager = self.checkpoint.plans_manager
            space = RegionSpace(
                PreprocessedGrid.of_case(properties, manager.transpose_forward, data.shape[1:]),
                regions[case_id].within(data.shape[1:]),
                image_shape(properties, manager),
            )
            sample = samples[case_id]
            image, valid, covariates = (
                sample[name][None].to(self.device) for name in ("image", "valid", "covariates")
            )
            yield ExplainedCase(case_id, image, valid, covariates, space, properties)

    def _regions(self, case_ids: Sequence[str], dataset: nnUNetBaseDataset) -> dict[str, Region]:
        masks = self.setup.masks
        masks.prepare()
        missing = masks.missing(case_ids)
        if missing:
            with tqdm(total=len(missing), desc="Stage-I masks", unit="case", disable=no_bar()) as bar:
                masks.predict(missing, dataset, self.device, lambda case_id: bar.update())
        found = find_regions(
            tqdm(case_ids, "Regions", unit="case", leave=False, disable=no_bar()),
            masks,
            dataset,
            plans_manager=self.checkpoint.plans_manager,
            dataset_json=self.checkpoint.nnunet_fold.dataset_json,
            size=region_size(self.configuration.spacing, self.total_stride),
        )
        return {case_id: case.region for case_id, case in found.items()}

    def tumour_view(self, case: ExplainedCase) -> NDArray[np.bool_]:
        """Return the mask in the region, turned for pictures."""
        manager = self.checkpoint.plans_manager
        file = self.setup.masks.mask_file(case.case_id)
        mask = read_case_mask(file, case.properties, manager)
        label_manager = manager.get_label_manager(dict(self.checkpoint.nnunet_fold.dataset_json))
        tumour = tumour_of(mask, label_manager.ignore_label)[case.space.box]
        view: NDArray[np.bool_] = case.geometry.turned(tumour)
        return view

    # --------------------------------------------------------------------------------------- the networks

    def look(self, case: ExplainedCase) -> dict[str, Interpretation]:
        """Return fusion weights and attention maps of both stages on the same region."""
        seen = {}
        for stage, network in ((STAGES[0], self.stage_one), (STAGES[1], self.stage_two)):
            with torch.no_grad(), self._autocast(), network.interpreted() as seen[stage]:
                network.decoder_features(case.image)
        return seen

    def risk_of(self, case: ExplainedCase) -> RiskOf:
        """Return the survival network as a function of the case's image only."""
        fold = self.setup.fold

        def risk_of(image: Tensor) -> NDArray[np.float64]:
            with torch.no_grad(), self._autocast():
                logits = predict_region(
                    self.stage_two,
                    image,
                    case.valid.expand(len(image), *case.valid.shape[1:]),
                    case.covariates.expand(len(image), -1),
                    pool=fold.config.pool,
                    crop_size=crop_size(self.configuration.spacing, self.total_stride),
                )
            by_image = {str(i): values for i, values in enumerate(logits.float().tolist())}
            return SurvivalPrediction.from_logits(by_image, fold.edges).risk_score

        return risk_of

    def _autocast(self) -> AbstractContextManager[Any]:
        # As in the trainer's prediction: mixed precision on CUDA only.
        return torch.autocast("cuda") if self.device.type == "cuda" else nullcontext()

    def provenance(self) -> dict[str, Any]:
        """Return the sources of this fold's explanations, as plain data; explanations of other sources are outdated."""
        checkpoint, stage_one = self.checkpoint, self.setup.stage_one
        return {
            "dataset": checkpoint.plans_manager.dataset_name,
            "trainer": checkpoint.trainer,
            "plans": checkpoint.plans_manager.plans_name,
            "configuration": checkpoint.nnunet_fold.configuration,
            "fold": checkpoint.number,
            "checkpoint": checkpoint.file.name,
            "checkpoint_sha256": sha256_of(checkpoint.file),
            "stage_one": {
                "trainer": stage_one.trainer,
                "checkpoint": stage_one.checkpoint_name,
                "checkpoint_sha256": sha256_of(stage_one.checkpoint),
            },
            "masks": mask_provenance(self.setup.fold.config, self.setup.masks),
        }


def open_trained_fold(
    dataset: str,
    configuration: str,
    number: int | str,
    *,
    trainer: str,
    plans: str,
    checkpoint: str,
    device: str,
) -> ExplainedModel:
    """Open the networks of a trained fold in nnU-Net's results folder.

    Args:
        dataset: nnU-Net's id or name.
        configuration: such as ``3d_fullres``.
        number: of the fold, or ``all``.
        trainer: class name of the survival trainer.
        plans: identifier.
        checkpoint: such as ``checkpoint_best.pth``.
        device: ``cuda``, ``cpu`` or ``mps``.

    Raises:
        ValueError: if it is not there, is damaged, or its sources have changed.
    """
    chosen = torch_device(device, "do")
    folder = model_folder(dataset, trainer, plans, configuration)
    return ExplainedModel.open(TrainedFold.of_model(folder, number).open(checkpoint), chosen)


def versions() -> Mapping[str, str]:
    """Return the versions of the packages that make explanations."""
    return {name: version(name) for name in ("nnunetv2-adamss", "nnunetv2", "torch")}


def _covariate_use(fold: SurvivalFold) -> CovariateUse:
    """Derive the covariate use of the fold's trainer from its results, as far as it matters here."""
    uses_radiomics = any(name.startswith("radiomics ") for name in fold.sources)
    return CovariateUse(uses_radiomics, bool(fold.covariate_report.hazard_ratios) or not uses_radiomics)
