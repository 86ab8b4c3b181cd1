"""The features of a Stage-II fold: masks as its training takes them, images as they were before nnU-Net."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from nnunetv2.training.dataloading.nnunet_dataset import infer_dataset_class
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from nnunetv2.utilities.utils import get_filenames_of_train_images_and_targets

from nnunetv2_adamss.radiomics.request import Extras, RadiomicsCase, RadiomicsRequest
from nnunetv2_adamss.radiomics.run import ExtractionReport, check_table, extract_features
from nnunetv2_adamss.radiomics.settings import RadiomicsSettings
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.messages import listed
from nnunetv2_adamss.survival.nnunet_dataset import PREPROCESSED, RAW, dataset_folder
from nnunetv2_adamss.survival.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.tumour_region.mask_source import MaskSource, PredictedMasks, choose_masks
from nnunetv2_adamss.survival.tumour_region.stage_one_model import StageOneModel


def _ignore(case_id: str) -> None:
    """The default of what is told of progress."""


@dataclass(frozen=True)
class Progress:
    """What is told while a fold is extracted.

    Args:
        on_masks: how many masks are going to be predicted.
        on_mask_done: each case whose mask is predicted.
        on_features: of how many cases features are going to be extracted.
        on_case_done: each case whose features are there.
    """

    on_masks: Callable[[int], object] = lambda n: None
    on_mask_done: Callable[[str], object] = _ignore
    on_features: Callable[[int], object] = lambda n: None
    on_case_done: Callable[[str], object] = _ignore


@dataclass(frozen=True)
class FoldRadiomics:
    """Where a fold's features are from and where they lie.

    Args:
        nnunet_fold: plan, configuration and fold.
        config: of the survival training; its Stage-I network and mask source are used.
        settings: which features, and how; by default the paper's.
        extras: what is extracted beside the tumour's features.

    Raises:
        ValueError: if the settings do not fit the data set's channels.
    """

    nnunet_fold: NnunetFold
    config: SurvivalConfig
    settings: RadiomicsSettings = field(default_factory=RadiomicsSettings.read)
    extras: Extras = field(default_factory=Extras)

    @property
    def stage_one(self) -> StageOneModel:
        """The fold's Stage-I network."""
        fold, config = self.nnunet_fold, self.config
        return StageOneModel(
            config.seg_trainer, fold.plans, fold.configuration, fold.number, config.seg_checkpoint
        )

    @property
    def table(self) -> Path:
        """The CSV file, beside the Stage-I checkpoint."""
        source = self.config.mask_source
        unmirrored = source in ("predicted", "out_of_fold") and not self.config.mirroring
        return (
            self.stage_one.fold_folder / f"radiomics_{source}{'_without_mirroring' if unmirrored else ''}.csv"
        )

    def extract(
        self,
        case_ids: Sequence[str] | None = None,
        *,
        device: str = "cuda",
        num_processes: int | None = None,
        overwrite: bool = False,
        progress: Progress = Progress(),
    ) -> ExtractionReport:
        """Extract the features, and first predict the masks that are missing.

        Args:
            case_ids: which cases; by default all of the fold.
            device: where missing masks are predicted.
            num_processes: cases at once; None leaves it to joblib.
            overwrite: begin anew, whatever is there.
            progress: what is told meanwhile.

        Raises:
            ValueError: if there is no such fold, raw data or Stage-I checkpoint, a case has no image or mask, none
                has features, or a table is there that was made otherwise.
        """
        request = RadiomicsRequest.from_dataset_json(
            self.nnunet_fold.dataset_json, self.settings, self.extras
        )
        split = self.nnunet_fold.split()
        chosen = sorted({*split.training, *split.validation}) if case_ids is None else sorted(set(case_ids))
        images = self._images(chosen)
        masks = choose_masks(
            self.config,
            self.stage_one,
            chosen,
            self.nnunet_fold.file_ending,
            self.nnunet_fold.preprocessed_folder,
        )
        masks.check(chosen)
        check_table(self.table, request, overwrite)
        self._predict_missing(masks, chosen, device, progress)
        progress.on_features(len(chosen))
        return extract_features(
            [RadiomicsCase(case_id, images[case_id], masks.mask_file(case_id)) for case_id in chosen],
            request,
            self.table,
            masks={
                "source": self.config.mask_source,
                "folder": self.config.masks_dir,
                "mirroring": self.config.mirroring if isinstance(masks, PredictedMasks) else None,
                "checkpoints_sha256": masks.sources(),
            },
            num_processes=num_processes,
            overwrite=overwrite,
            on_case_done=progress.on_case_done,
        )

    def _images(self, case_ids: Sequence[str]) -> dict[str, tuple[Path, ...]]:
        """The original images, one a channel."""
        raw = dataset_folder(RAW, self.nnunet_fold.plans["dataset_name"])
        if not (raw / "dataset.json").is_file():
            raise ValueError(f"Radiomics needs the original images, but there is no raw data set {raw}.")
        found = get_filenames_of_train_images_and_targets(str(raw))
        missing = [case_id for case_id in case_ids if case_id not in found]
        if missing:
            raise ValueError(
                f"{len(missing)} case(s) of the fold have no images in {raw}: {listed(missing)}."
            )
        return {case_id: tuple(Path(file) for file in found[case_id]["images"]) for case_id in case_ids}

    def _predict_missing(
        self, masks: MaskSource, case_ids: Sequence[str], device: str, progress: Progress
    ) -> None:
        masks.prepare()
        missing = masks.missing(case_ids)
        if not missing:
            return
        if device == "cuda" and not torch.cuda.is_available():
            raise ValueError(
                f"{len(missing)} masks must be predicted, but there is no GPU that PyTorch can use; add -device cpu."
            )
        progress.on_masks(len(missing))
        fold = self.nnunet_fold
        configuration = PlansManager(dict(fold.plans)).get_configuration(fold.configuration)
        folder = str(fold.preprocessed_folder / configuration.data_identifier)
        dataset = infer_dataset_class(folder)(folder)
        masks.predict(missing, dataset, torch.device(device), progress.on_mask_done)


def read_fold(dataset: str, plans_name: str, configuration: str, number: int | str) -> NnunetFold:
    """A fold of a planned data set.

    Args:
        dataset: its name.
        plans_name: plans identifier.
        configuration: such as ``3d_fullres``.
        number: of the fold, or ``all``.

    Raises:
        ValueError: if the data set is not planned, or the plan has no such configuration.
    """
    folder = dataset_folder(PREPROCESSED, dataset)
    files = [folder / f"{plans_name}.json", folder / "dataset.json"]
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise ValueError(
            f"The data set is not planned and preprocessed: there is no {' and no '.join(missing)}. Run "
            "nnUNetv2_plan_and_preprocess, or choose another plan with -p."
        )
    plans, dataset_json = (json.loads(file.read_text()) for file in files)
    if configuration not in plans["configurations"]:
        raise ValueError(
            f"There is no configuration '{configuration}' in {files[0]}, only {listed(list(plans['configurations']))}."
        )
    return NnunetFold(plans, dataset_json, configuration, number)
