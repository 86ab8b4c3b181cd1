"""The statistical methods of Table I and the baselines, as commands and the benchmark have to know them.

Plain data that imports nothing heavy, so that ``--help`` answers at once; ``methods.py`` says how the risks come about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

DeepRisks = Literal["in_sample", "out_of_fold"]


@dataclass(frozen=True)
class CatalogueEntry:
    """One method.

    Args:
        name: for ``--method`` and ``--methods``.
        folder: its name in the place of a trainer's.
        title: as tables print it.
        summary: what it is, in a line.
        radiomics: whether it looks at radiomics.
        clinical: whether it looks at clinical indicators.
        measures_tumour: whether it is read off the tumour's mask and the PET.
        masks: whose masks it looks at whatever the user wants: ``reference``, or ``deep`` for those of its deep method;
            None for the user's choice.
        deep_trainer: the deep method that it goes on with.
        deep_risks: which of that one's risks it is fitted on: ``in_sample``, what the same fold says of its own
            training cases, or ``out_of_fold``, what the fold that did not train on a case says of it.
    """

    name: str
    folder: str
    title: str
    summary: str
    radiomics: bool = True
    clinical: bool = True
    measures_tumour: bool = False
    masks: Literal["reference", "deep"] | None = None
    deep_trainer: str | None = None
    deep_risks: DeepRisks | None = None


CATALOGUE: Mapping[str, CatalogueEntry] = MappingProxyType({entry.name: entry for entry in (
    CatalogueEntry(
        "lasso_cox", "LassoCoxPH", "Lasso-CoxPH", "radiomics of the reference masks and clinical indicators",
        masks="reference",
    ),
    CatalogueEntry(
        "icare", "ICARE", "ICARE", "the same, by an ensemble of binary-weighted models", masks="reference"
    ),
    CatalogueEntry(
        "deepmtlr_cox", "DeepMTLRCoxPH", "DeepMTLR-CoxPH", "mean of DeepMTLRTrainer's risk and a clinical Cox model",
        radiomics=False, deep_trainer="DeepMTLRTrainer", deep_risks="in_sample",
    ),
    CatalogueEntry(
        "radio_deepmts", "RadioDeepMTS", "Radio-DeepMTS",
        "Cox on DeepMTSTrainer's score, radiomics of its masks and clinical data; needs all its folds",
        masks="deep", deep_trainer="DeepMTSTrainer", deep_risks="out_of_fold",
    ),
    CatalogueEntry(
        "covariates_cox", "CovariatesCox", "Cox model on the covariates", "what AdaMSS gets beside the image"
    ),
    CatalogueEntry(
        "tumour_volume", "TumourVolume", "Tumour volume", "the larger, the riskier",
        radiomics=False, clinical=False, measures_tumour=True,
    ),
    CatalogueEntry(
        "suv_max", "SUVmax", "SUVmax", "the hotter, the riskier",
        radiomics=False, clinical=False, measures_tumour=True,
    ),
)})  # fmt: skip


def results_name(method: str, deep_trainer: str | None) -> str:
    """What a method's results are named after, in the place of a trainer.

    Args:
        method: name, of ``CATALOGUE``.
        deep_trainer: the deep method that it goes on with, or a variant of it such as its short schedule, which gives
            results of its own; None for none.

    Raises:
        ValueError: if it is neither.
    """
    entry = CATALOGUE[method]
    if deep_trainer is None:
        return entry.folder
    if entry.deep_trainer is None or not deep_trainer.startswith(entry.deep_trainer):
        own = f"{entry.deep_trainer} or a variant of it" if entry.deep_trainer else "no deep method"
        raise ValueError(f"{entry.title} goes on with {own}, not with {deep_trainer}.")
    return entry.folder + deep_trainer.removeprefix(entry.deep_trainer)
