"""The survival trainer before it trains: settings, network, the cases of its fold, and its checkpoints."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from math import ceil
from pathlib import Path
from typing import Any

import torch
from nnunetv2.utilities.default_n_proc_DA import get_allowed_n_proc_DA
from nnunetv2.utilities.helpers import dummy_context
from nnunetv2.utilities.plans_handling.plans_handler import ConfigurationManager, PlansManager
from torch import Tensor, nn
from torch._dynamo import OptimizedModule
from torch.utils.data import DataLoader
from tqdm import tqdm

from nnunetv2_adamss.common.checkpoint import WEIGHTS, are_weights, read_checkpoint
from nnunetv2_adamss.common.kinds import Kind
from nnunetv2_adamss.common.quiet import is_quiet
from nnunetv2_adamss.methods.recipe import ONE_PASS, SurvivalRecipe
from nnunetv2_adamss.networks.adamss import AdaMSSSurvival
from nnunetv2_adamss.networks.registry import build_survival_network, can_be_anchored
from nnunetv2_adamss.networks.survival_network import SurvivalNetwork
from nnunetv2_adamss.survival.config import SurvivalConfig
from nnunetv2_adamss.survival.fold import SurvivalFold
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import FoldSplit, NnunetFold
from nnunetv2_adamss.survival.nnunet_data.plan_sizes import network_sizes
from nnunetv2_adamss.survival.nnunet_data.plan_stages import check_three_dimensional, stages_of
from nnunetv2_adamss.survival.prepared_training import read_prepared
from nnunetv2_adamss.survival.setup import SurvivalSetup
from nnunetv2_adamss.survival.training_data.balanced_batches import BalancedBatches, places_of_rank
from nnunetv2_adamss.survival.training_data.case_data import CaseData, Sample
from nnunetv2_adamss.survival.training_data.samples import TrainingCrops, WholeRegions
from nnunetv2_adamss.survival.tumour_region.case_regions import find_regions
from nnunetv2_adamss.survival.tumour_region.region import crop_size, region_size
from nnunetv2_adamss.trained_folds.fold_files import CHECKPOINTS
from nnunetv2_adamss.trained_folds.survival_checkpoint import SurvivalCheckpoint
from nnunetv2_adamss.trainers.adamss_trainer import AdaMSSTrainer
from nnunetv2_adamss.trainers.checked_network import checked_network
from nnunetv2_adamss.trainers.log_to_trainer import library_logs_to
from nnunetv2_adamss.trainers.ranks import Ranks
from nnunetv2_adamss.trainers.shared_masks import predict_missing_masks
from nnunetv2_adamss.trainers.survival_log import SurvivalLog


class SurvivalFoldTrainer(AdaMSSTrainer):
    """The part of the survival trainer that sets up a fold and its network.

    Settings come from ``survival_config.json`` in the fold's folder, which ``adamss_finetune_survival`` writes, or
    are the defaults; a continued training takes them from its checkpoint.
    """

    recipe: SurvivalRecipe

    def __init__(
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cuda"),  # noqa: B008  nnU-Net's own signature
    ) -> None:
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.logger.local_logger = SurvivalLog()
        stages = stages_of(self.configuration_manager)
        self.total_stride = stages.total_stride
        self.spacing_mm = self.configuration_manager.spacing
        self.region_size = region_size(self.spacing_mm, self.total_stride)
        self.crop_size = crop_size(self.spacing_mm, self.total_stride)
        self.ranks = Ranks()
        self.setup: SurvivalSetup  # set in initialize
        self.cases: CaseData | None = None
        self._resumed_fold: SurvivalFold | None = None

    @classmethod
    def check_plan(cls, plans: dict[str, Any], configuration: str, dataset_json: dict[str, Any]) -> None:
        """Extend the check of every trainer: images must have three dimensions."""
        check_three_dimensional(plans, configuration)
        super().check_plan(plans, configuration, dataset_json)

    @staticmethod
    def build_network_architecture(
        plans_manager: PlansManager,
        configuration_manager: ConfigurationManager,
        num_input_channels: int,
        num_output_channels: int,
        enable_deep_supervision: bool = False,
    ) -> nn.Module:
        """Raise ValueError: nnU-Net's prediction needs a network that writes masks.

        Raises:
            ValueError: always.
        """
        raise ValueError(
            "This trainer predicts survival, not masks: use adamss_predict_survival, or for masks alone "
            "-tr AdaMSSSegTrainer."
        )

    # ------------------------------------------------------------------------------------------ the start

    def initialize(self) -> None:
        """Extend nnU-Net's method: set up the fold's cases and intervals, and the survival network.

        Raises:
            ValueError: if settings, table, split, masks or Stage-I checkpoint cannot be used.
        """
        # nnU-Net calls this method of the object here, but of the class at prediction, where only the checkpoint
        # holds the numbers of intervals and covariates.
        self.build_network_architecture = self._build_survival_network  # type: ignore[assignment,method-assign]
        with library_logs_to(self.print_to_log_file):
            self.setup = self._set_up()
        config = self.survival_fold.config
        self.print_to_log_file("Survival settings:", config.to_dict())
        self.my_init_kwargs["survival"] = self.survival_fold.to_dict()
        self.initialisation_seed = config.seed
        self.num_epochs = config.epochs or self.num_epochs
        super().initialize()
        if self.recipe.schedule.n_iterations == ONE_PASS:
            n_cases = len(self.survival_fold.training_cases)
            self.num_iterations_per_epoch = ceil(n_cases / self.total_batch_size)

    @classmethod
    def check_settings(cls, config: SurvivalConfig) -> None:
        """Raise ValueError if the network cannot work with these settings."""
        recipe, name = cls.recipe, cls.__name__
        if recipe.needs_crops and config.pool != "crops":
            raise ValueError(
                f"{name} needs --pool crops, its default, not --pool {config.pool}: {recipe.needs_crops}."
            )
        if recipe.objective != "discrete_time" and config.loss_reduction != "sum":
            raise ValueError(
                f"The loss of {name} is not a sum over time intervals, so --loss_reduction {config.loss_reduction} has "
                "no meaning for it; leave the option out."
            )
        if config.radiomics != "all" and not recipe.covariate_use.radiomics:
            raise ValueError(
                f"{name} uses no radiomics, so --radiomics {config.radiomics} has no meaning for it; leave it out."
            )
        of_head = (config.anchor, config.head_rate, config.baseline)
        if not can_be_anchored(recipe.network) and of_head != ("none", 1, "trained"):
            raise ValueError(
                f"{name} cannot have --anchor, --head_rate or --baseline: they are about the survival head of AdaMSS's "
                "networks."
            )
        if config.anchor == "image" and config.pool == "crops":
            raise ValueError(
                "--anchor image takes means over the whole region, so it needs --pool region, not --pool crops."
            )
        if not recipe.starts_from_stage_one and (config.anchor == "image" or config.batch_norm == "frozen"):
            raise ValueError(
                f"{name} cannot have --anchor image or --batch_norm frozen: its network does not start from Stage I's, "
                "whose image features and statistics they take."
            )

    def _set_up(self) -> SurvivalSetup:
        plans, folder = self.plans_manager.plans, Path(self.output_folder)
        nnunet_fold = NnunetFold(plans, self.dataset_json, self.configuration_name, self.fold)
        split = FoldSplit(*self.do_split())
        if self._resumed_fold is None:
            config = SurvivalConfig.of_fold(folder, self.recipe.default_settings)
            self.check_settings(config)
            use, network = self.recipe.covariate_use, self.recipe.network
            prepared = read_prepared(folder, nnunet_fold, config, split, use=use, network=network)
            if prepared is None:
                return SurvivalSetup.begin(nnunet_fold, config, split, use, network=network)
            setup, remarks = prepared
            for remark in remarks:
                self.print_to_log_file(remark)
            return setup
        return SurvivalSetup.resume(
            nnunet_fold, self._resumed_fold.with_paths_of(folder), split, self.recipe.covariate_use
        )

    @property
    def is_new(self) -> bool:
        """True if the training was not continued from a checkpoint."""
        return self._resumed_fold is None

    @property
    def survival_fold(self) -> SurvivalFold:
        """The survival fold: cases, settings and all that is fitted on the training cases."""
        return self.setup.fold

    def _build_survival_network(
        self,
        plans_manager: PlansManager,
        configuration_manager: ConfigurationManager,
        num_input_channels: int,
        num_output_channels: int,
        enable_deep_supervision: bool,
    ) -> nn.Module:
        sizes = network_sizes(self.survival_fold, configuration_manager, self.dataset_json)
        network = build_survival_network(self.recipe.network, sizes)
        if self.is_new and self.recipe.starts_from_stage_one:
            self._start_from_stage_one(checked_network(network, AdaMSSSurvival))
        return network

    def _start_from_stage_one(self, network: AdaMSSSurvival) -> None:
        stage_one = self.setup.stage_one
        n_taken = network.load_stage_one(stage_one.weights())
        self.print_to_log_file(
            f"All {n_taken} tensors of encoder and decoder come from Stage I: {stage_one.checkpoint}"
        )

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups of the parameters that the optimizer trains; a head with its own learning rate is a separate group."""
        head_rate = self.survival_fold.config.head_rate
        if head_rate == 1:
            return super().parameter_groups()
        head: list[nn.Parameter] = []
        others: list[nn.Parameter] = []
        for name, parameter in self.network.named_parameters():
            (head if "survival_head." in name else others).append(parameter)
        return [{"params": others}, {"params": head, "multiple": head_rate}]

    @property
    def total_batch_size(self) -> int:
        """Number of cases of a batch, of all GPUs together."""
        return self.recipe.schedule.batch_size or self.configuration_manager.batch_size

    # ------------------------------------------------------------------------------------------- the data

    def get_dataloaders(self) -> tuple[Iterator[Sample], Iterator[Sample]]:
        """Make endless loaders of training batches of crops, and of the scoring cases."""
        fold = self.survival_fold
        cases = self.load_cases()
        _, event = self.setup.table.time_and_event(fold.training_cases)
        batches = BalancedBatches(
            [case_id for case_id, is_event in zip(fold.training_cases, event, strict=True) if is_event],
            [case_id for case_id, is_event in zip(fold.training_cases, event, strict=True) if not is_event],
            batch_size=self.total_batch_size,
            places=places_of_rank(self.total_batch_size, self.ranks.count, self.local_rank),
            first_batch=self.current_epoch * self.num_iterations_per_epoch,
            seed=fold.config.seed,
        )
        own_scoring = self.ranks.share(fold.scoring_cases)
        self.num_val_iterations_per_epoch = len(own_scoring)
        n_workers = get_allowed_n_proc_DA()
        return (
            self._loader(self._training_crops(cases), batches, n_workers),
            self._loader(
                WholeRegions(cases, self.total_stride), cycle([[c] for c in own_scoring]), min(n_workers, 2)
            ),
        )

    def _training_crops(self, cases: CaseData) -> TrainingCrops:
        return TrainingCrops(
            cases,
            self.crop_size,
            self.spacing_mm,
            with_tumour=self.recipe.segments,
            ignore_label=self.label_manager.ignore_label,
        )

    def _loader(self, dataset: Any, batches: Any, n_workers: int) -> Iterator[Sample]:
        pin = self.device.type == "cuda"
        return iter(DataLoader(dataset, batch_sampler=batches, num_workers=n_workers, pin_memory=pin))

    def load_cases(self) -> CaseData:
        """Load regions, covariates and targets of all cases of the fold; predict missing masks first."""
        if self.cases is None:
            case_ids = self.survival_fold.all_cases
            dataset = self.dataset_class(self.preprocessed_dataset_folder, case_ids)
            with library_logs_to(self.print_to_log_file):
                predict_missing_masks(
                    self.setup.masks,
                    case_ids,
                    dataset,
                    device=self.device,
                    ranks=self.ranks,
                    log=self.print_to_log_file,
                )
                found = find_regions(
                    tqdm(case_ids, "Regions", unit="case", disable=self.local_rank > 0 or is_quiet()),
                    self.setup.masks,
                    dataset,
                    plans_manager=self.plans_manager,
                    dataset_json=self.dataset_json,
                    size=self.region_size,
                )
            regions = {case_id: case.region for case_id, case in found.items()}
            self.cases = CaseData.of_setup(self.setup, dataset, regions)
        return self.cases

    def whole_regions(self, case_ids: Sequence[str], what: str) -> Iterator[Sample]:
        """Iterate over this GPU's share of the cases, one a batch, with a progress bar, in evaluation mode."""
        own = self.ranks.share(case_ids)
        self.network.eval()
        loader = self._loader(WholeRegions(self.load_cases(), self.total_stride), [[c] for c in own], 0)
        return iter(tqdm(loader, what, len(own), unit="case", disable=self.local_rank > 0 or is_quiet()))

    # ------------------------------------------------------------------------------ devices and checkpoints

    def load_checkpoint(self, filename_or_checkpoint: str) -> None:
        """Extend nnU-Net's method: load settings, cases and intervals from the checkpoint too.

        Raises:
            ValueError: if it is no Stage-II checkpoint, or table or split no longer fit.
        """
        if not self.was_initialized:
            self._resumed_fold = SurvivalCheckpoint.read(Path(filename_or_checkpoint), mapped=True).survival
        super().load_checkpoint(filename_or_checkpoint)

    def load_epoch(self, name: str) -> int | None:
        """Load the weights of the ``best`` or ``last`` epoch; return its number, or None if there is no checkpoint.

        Raises:
            ValueError: naming the file, if it is damaged or of another network.
        """
        checkpoint_file = Path(self.output_folder) / CHECKPOINTS[name]
        if not checkpoint_file.is_file():
            return None
        kinds: dict[str, Kind] = {WEIGHTS: are_weights, "current_epoch": int}
        checkpoint = read_checkpoint(checkpoint_file, kinds, device=self.device)
        try:
            self.bare_network.load_state_dict(checkpoint[WEIGHTS])
        except RuntimeError as error:
            raise ValueError(f"{checkpoint_file} holds weights of another network. {error}") from error
        return int(checkpoint["current_epoch"]) - 1

    @property
    def bare_network(self) -> SurvivalNetwork:
        """The network without the wrappers of compilation and several GPUs."""
        network: Any = self.network.module if self.is_ddp else self.network
        if isinstance(network, OptimizedModule):
            network = network._orig_mod
        return network

    def inputs(self, batch: Sample) -> tuple[Tensor, Tensor, Tensor]:
        """Move the network's inputs of a batch to this device."""
        image, valid, covariates = (self.to_device(batch[name]) for name in ("image", "valid", "covariates"))
        return image, valid, covariates

    def to_device(self, tensor: Tensor) -> Tensor:
        """Move a tensor to this device."""
        return tensor.to(self.device, non_blocking=True)

    def autocast(self) -> Any:
        """Context of mixed precision, on CUDA only, as in nnU-Net."""
        return torch.autocast("cuda") if self.device.type == "cuda" else dummy_context()
