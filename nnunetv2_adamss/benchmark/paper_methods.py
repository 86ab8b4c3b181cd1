"""The methods of Tables I to III, in the paper's order, and what it published of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.methods.catalogue import CATALOGUE


@dataclass(frozen=True)
class Trainer:
    """A trainer of nnU-Net's, with its short form.

    Args:
        base: class name of the full schedule, without the variant.
        variant: what follows, such as ``_PETOnly``.
    """

    base: str
    variant: str = ""

    def name(self, short_schedule: bool) -> str:
        """Class name."""
        return f"{self.base}{'_ShortSchedule' if short_schedule else ''}{self.variant}"


# Its masks give all methods but the fusion strategies their regions.
STAGE_ONE = Trainer("AdaMSSSegTrainer")


@dataclass(frozen=True)
class Published:
    """What the paper reports of its two test sets, which are other patients than anybody else's.

    Args:
        c_index: of OPC and NPC; None without one.
        dice: likewise.
    """

    c_index: tuple[float, float] | None
    dice: tuple[float, float] | None = None


@dataclass(frozen=True)
class Method:
    """A row of a table.

    Args:
        name: for ``--methods``.
        title: of the row.
        tables: in which it stands.
        published: by the paper; None for what it does not report.
        stage_one: whose masks tell where the tumour is, and whose Dice it is where the method has no masks of its own.
        trainer: its survival network; None for a statistical method.
        fitted: name of the folder of a statistical method's results; None for a network.
        starts_from_stage_one: whether its network does.
        segments: whether a Dice belongs to it.
        has_own_masks: whether ``trainer`` segments, too.
        radiomics: masks of its radiomics, ``predicted`` or ``groundtruth``; None if it uses none or its own.
        needs_other_folds: whether a fold needs ``trainer`` in the other folds, too, and takes masks from them.
        measures_tumour: whether it is read off the tumour's mask and the PET.
    """

    name: str
    title: str
    tables: tuple[int, ...]
    published: Published | None = None
    stage_one: Trainer = STAGE_ONE
    trainer: Trainer | None = None
    fitted: str | None = None
    starts_from_stage_one: bool = False
    segments: bool = False
    has_own_masks: bool = False
    radiomics: str | None = None
    needs_other_folds: bool = False
    measures_tumour: bool = False

    @property
    def chooses_masks(self) -> bool:
        """Whether a statistical method says whose masks it looks at, whatever the user wants of the others."""
        return self.radiomics == "groundtruth" or self.needs_other_folds

    @property
    def is_baseline(self) -> bool:
        """Whether it stands in every table."""
        return len(self.tables) > 1


def _adamss(
    name: str,
    title: str,
    table: int,
    published: Published,
    variant: str = "",
    *,
    is_fusion: bool = False,
    radiomics: str | None = None,
) -> Method:
    """AdaMSS in two stages; a fusion strategy has a Stage I of its own."""
    return Method(
        name,
        title,
        (table,),
        published,
        Trainer(STAGE_ONE.base, variant) if is_fusion else STAGE_ONE,
        Trainer("AdaMSSSurvTrainer", variant),
        starts_from_stage_one=True,
        segments=True,
        radiomics=radiomics,
    )


def _statistical(name: str, tables: tuple[int, ...], published: Published | None = None) -> Method:
    """A method of ``adamss_fit_statistical``; one whose radiomics are of a network's masks has the masks, too."""
    entry = CATALOGUE[name]
    radiomics_of = {"reference": "groundtruth", "deep": None, None: "predicted"}[entry.masks]
    return Method(
        name,
        entry.title,
        tables,
        published,
        trainer=Trainer(entry.deep_trainer) if entry.deep_trainer else None,
        fitted=entry.folder,
        segments=entry.masks == "deep",
        has_own_masks=entry.masks == "deep",
        radiomics=radiomics_of if entry.radiomics else None,
        needs_other_folds=entry.deep_risks == "out_of_fold",
        measures_tumour=entry.measures_tumour,
    )


_OWN_DICE = (0.775, 0.796)
METHODS = (
    _statistical("lasso_cox", (1,), Published((0.745, 0.671))),
    _statistical("icare", (1,), Published((0.765, 0.688))),
    Method("mdsn_proxy", "MDSN (proxy)", (1,), Published((0.746, 0.676)), trainer=Trainer("MDSNProxyTrainer")),
    _statistical("deepmtlr_cox", (1,), Published((0.748, 0.684))),
    Method("tmss", "TMSS", (1,), Published((0.761, 0.689), (0.754, 0.779)), trainer=Trainer("TMSSTrainer"),
           segments=True, has_own_masks=True),
    Method("deepmts", "DeepMTS", (1,), Published((0.757, 0.695), (0.735, 0.765)), trainer=Trainer("DeepMTSTrainer"),
           segments=True, has_own_masks=True),
    _statistical("radio_deepmts", (1,), Published((0.776, 0.717), (0.735, 0.765))),
    _adamss("adamss", "AdaMSS", 1, Published((0.804, 0.757), _OWN_DICE), radiomics="predicted"),
    _adamss("adamss_no_radiomics", "AdaMSS (No-radio)", 1, Published((0.780, 0.728), _OWN_DICE), "_NoRadiomics"),
    _adamss("adamss_no_clinical", "AdaMSS (No-clinic)", 1, Published((0.795, 0.749), _OWN_DICE), "_NoClinical",
            radiomics="predicted"),
    _adamss("adamss_image_only", "AdaMSS (No-both)", 1, Published((0.772, 0.722), _OWN_DICE), "_ImageOnly"),
    Method("segmentation_only", "STL, segmentation only", (2,), Published(None, _OWN_DICE), segments=True),
    Method("survival_only", "STL, survival only", (2,), Published((0.754, 0.692)),
           trainer=Trainer("AdaMSSSurvTrainer", "_SurvivalOnly")),
    Method("multi_task", "MTL", (2,), Published((0.765, 0.706), (0.770, 0.789)),
           trainer=Trainer("AdaMSSSurvTrainer", "_MultiTask"), segments=True, has_own_masks=True),
    _adamss("two_stage", "SSL", 2, Published((0.780, 0.728), _OWN_DICE), "_NoRadiomics"),
    _adamss("pet_only", "Only PET", 3, Published((0.768, 0.707), (0.723, 0.756)), "_PETOnly", is_fusion=True),
    _adamss("ct_only", "Only CT", 3, Published((0.644, 0.574), (0.645, 0.688)), "_CTOnly", is_fusion=True),
    _adamss("early_fusion", "Early fusion", 3, Published((0.758, 0.697), (0.750, 0.772)), "_EarlyFusion",
            is_fusion=True),
    _adamss("late_fusion", "Late fusion", 3, Published((0.765, 0.705), (0.759, 0.780)), "_LateFusion",
            is_fusion=True),
    _adamss("intermediate_fusion", "Intermediate fusion", 3, Published((0.770, 0.713), (0.764, 0.786)),
            "_IntermediateFusion", is_fusion=True),
    _adamss("data_driven", "Data-driven fusion", 3, Published((0.780, 0.728), _OWN_DICE), "_NoRadiomics"),
    _statistical("covariates_cox", (1, 2, 3)),
    _statistical("tumour_volume", (1, 2, 3)),
    _statistical("suv_max", (1, 2, 3)),
)  # fmt: skip

TABLES = {
    1: "Table I: AdaMSS and other methods",
    2: "Table II: learning strategies",
    3: "Table III: fusion strategies",
}
# What the other rows of a table are held against.
REFERENCES = {1: "adamss", 2: "two_stage", 3: "data_driven"}
GROUPS = {
    "all": METHODS,
    **{f"table{number}": tuple(m for m in METHODS if number in m.tables) for number in TABLES},
    "statistical": tuple(method for method in METHODS if method.fitted and not method.trainer),
}


def choose_methods(names: Sequence[str]) -> tuple[Method, ...]:
    """The methods of these names and groups, and the baselines; in the paper's order.

    Raises:
        ValueError: naming those that do not exist.
    """
    by_name = {method.name: (method,) for method in METHODS} | GROUPS
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise ValueError(f"There is no method {listed(unknown)}, only {', '.join(by_name)}.")
    chosen = {method for name in names for method in by_name[name]}
    return tuple(method for method in METHODS if method in chosen or method.is_baseline)
