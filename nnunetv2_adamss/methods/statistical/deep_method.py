"""Risks by a trained deep method, for statistical methods that start from them."""

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from nnunetv2_adamss.common.files import replace_atomically, sha256_of, write_atomically
from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.common.tables.csv_text import read_csv
from nnunetv2_adamss.methods.method import DEEP_RISK, DeepRisks
from nnunetv2_adamss.methods.statistical.deep_network import DeepNetwork
from nnunetv2_adamss.survival.cohort.outcome_files import outcomes_source
from nnunetv2_adamss.survival.cohort.splits_file import SPLITS_FILE, read_splits
from nnunetv2_adamss.survival.config import PATHS
from nnunetv2_adamss.survival.nnunet_data.nnunet_fold import NnunetFold
from nnunetv2_adamss.survival.setup import SurvivalSetup
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.fold_files import (
    CHECKPOINTS,
    PREDICTED_MASKS,
    SUMMARY_FILE,
    TRAINING_PREDICTIONS_FILE,
    epoch_predictions_file,
)
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold

# The best epoch is chosen on the cases that the method is evaluated on.
_EPOCH = "last"
_CHECKPOINT, _PREDICTIONS = CHECKPOINTS[_EPOCH], epoch_predictions_file(_EPOCH)


@dataclass(frozen=True, eq=False)
class DeepMethod:
    """A deep method at its last epoch, trained on the outcomes and the split of the fit that starts from it.

    Args:
        kind: of the risks that the fit needs.
        trained: the fold of the fit for risks in sample, all of the split for risks out of fold.
    """

    kind: DeepRisks
    trained: CrossValidation

    @classmethod
    def find(
        cls, kind: DeepRisks, folder: Path, nnunet_fold: NnunetFold, setup: SurvivalSetup
    ) -> "DeepMethod":
        """Find the folds that a fit needs.

        Args:
            kind: of the risks.
            folder: nnU-Net's, of the deep method.
            nnunet_fold: of the fit.
            setup: of the fit, for its outcomes.

        Raises:
            ValueError: if a fold is not trained to the end, or they are of other outcomes, of another split or of
                different settings.
        """
        of_split = [nnunet_fold] if kind == "in_sample" else _all_folds(nnunet_fold, setup)
        folds = [TrainedFold.of_model(folder, one.number) for one in of_split]
        needed = [SUMMARY_FILE, _CHECKPOINT, _PREDICTIONS]
        needed += [TRAINING_PREDICTIONS_FILE] if kind == "in_sample" else []
        unfinished = [str(fold.number) for fold in folds if not fold.has_files(*needed)]
        if unfinished:
            raise ValueError(
                f"The method starts from {folder.name}, whose fold {', '.join(unfinished)} is not trained to the end. "
                "Train it with adamss_finetune_survival."
            )
        faults = [*_foreign(folds, of_split, setup), *_disagreements(folds)]
        faults += _other_epochs(folds) if kind == "in_sample" else []
        if faults:
            raise ValueError(f"The method cannot start from {folder}: {'; '.join(faults)}. Train it again.")
        return cls(kind, CrossValidation(folder, folds))

    @property
    def network(self) -> DeepNetwork:
        """Identity of the network's weights."""
        sha256 = {f"fold {fold.number}": sha256_of(fold.folder / _CHECKPOINT) for fold in self.trained.folds}
        return DeepNetwork(self.trained.trainer, _CHECKPOINT, sha256)

    def risks(self, case_ids: Sequence[str]) -> pd.DataFrame:
        """Return the risk of each case, in a column.

        Raises:
            ValueError: if the fold of the fit was trained on other cases.
        """
        return self._in_sample(case_ids) if self.kind == "in_sample" else self._out_of_fold(case_ids)

    def _in_sample(self, case_ids: Sequence[str]) -> pd.DataFrame:
        (fold,) = self.trained.folds
        risks = pd.concat([_risks(fold.folder / name) for name in (TRAINING_PREDICTIONS_FILE, _PREDICTIONS)])
        if unknown := [case_id for case_id in case_ids if case_id not in risks.index]:
            raise ValueError(
                f"{fold.folder} has no risk of {len(unknown)} case(s) of the fold: {listed(unknown)}. Train it again "
                "on the same split and outcomes."
            )
        return risks.loc[list(case_ids)]

    def _out_of_fold(self, case_ids: Sequence[str]) -> pd.DataFrame:
        # choice: risks of different folds are on different scales, so each fold's validation cases get the folds'
        # average mean and standard deviation.
        parts = [_risks(fold.folder / _PREDICTIONS) for fold in self.trained.folds]
        means = [float(part[DEEP_RISK].mean()) for part in parts]
        deviations = [float(part[DEEP_RISK].std(ddof=0)) for part in parts]
        aligned = [
            (part - mean) / (deviation or 1.0) * np.mean(deviations) + np.mean(means)
            for part, mean, deviation in zip(parts, means, deviations, strict=True)
        ]
        return pd.concat(aligned).loc[list(case_ids)]

    def gather_masks(self, target: Path, ending: str) -> None:
        """Copy each case's mask from the fold that was not trained on it into one folder.

        Args:
            target: the folder.
            ending: of masks.

        Raises:
            ValueError: if a fold lacks masks.
        """
        masks = [
            fold.folder / PREDICTED_MASKS / f"{case_id}{ending}"
            for fold in self.trained.folds
            for case_id in _risks(fold.folder / _PREDICTIONS).index
        ]
        missing = [str(mask) for mask in masks if not mask.is_file()]
        if missing:
            raise ValueError(
                f"Missing: {listed(missing)}. Predict the masks again with adamss_finetune_survival --val."
            )
        target.mkdir(parents=True, exist_ok=True)
        for mask in masks:
            copy = target / mask.name
            # Present masks stay untouched, or features that were extracted from them would seem outdated.
            if not copy.is_file() or copy.read_bytes() != mask.read_bytes():
                replace_atomically(copy, partial(shutil.copyfile, mask))
        write_atomically(
            target / "README.txt", f"Validation masks of all folds of {self.trained.model_folder.name}.\n"
        )


def _all_folds(nnunet_fold: NnunetFold, setup: SurvivalSetup) -> list[NnunetFold]:
    """Return all folds of a split in which each case is in the validation part of exactly one."""
    splits = read_splits(nnunet_fold.preprocessed_folder / SPLITS_FILE)
    validated = Counter(case_id for split in splits for case_id in split["val"])
    if others := [case_id for case_id in setup.fold.all_cases if validated[case_id] != 1]:
        raise ValueError(
            "The method needs an out-of-fold risk of each case, but in the split "
            f"{listed(others)} are in the validation part of no fold or of several."
        )
    return [replace(nnunet_fold, number=number) for number in range(len(splits))]


def _foreign(
    folds: Sequence[TrainedFold], of_split: Sequence[NnunetFold], setup: SurvivalSetup
) -> Iterator[str]:
    """Describe folds of other outcomes or of another split."""
    source, without_outcome = outcomes_source(setup.table.path), set(setup.table.without_outcome)
    sha256 = setup.fold.sources[source]
    for fold, nnunet_fold in zip(folds, of_split, strict=True):
        sources = fold.summary_with("sources_sha256")["sources_sha256"]
        outcomes = [value for name, value in sources.items() if name.startswith("outcomes (")]
        if outcomes != [sha256]:
            yield f"fold {fold.number} is of other outcomes than {setup.table.path}"
        expected = set(nnunet_fold.split().validation) - without_outcome
        if set(_risks(fold.folder / _PREDICTIONS).index) != expected:
            yield f"fold {fold.number} is of another split"


def _disagreements(folds: Sequence[TrainedFold]) -> Iterator[str]:
    """Describe settings that differ between folds."""
    first = folds[0]
    for fold in folds[1:]:
        own, expected = fold.summary["settings"], first.summary["settings"]
        differing = [name for name in own if name not in PATHS and own[name] != expected.get(name)]
        if differing:
            yield f"folds {first.number} and {fold.number} differ in {listed(differing)}"


def _other_epochs(folds: Sequence[TrainedFold]) -> Iterator[str]:
    """Describe folds that predict their training cases by another epoch than the last."""
    for fold in folds:
        epoch = fold.summary_with("predictions_from")["predictions_from"]
        if epoch != _EPOCH:
            yield f"fold {fold.number} predicts its training cases by its {epoch} epoch, not by the last (--select)"


def _risks(file: Path) -> pd.DataFrame:
    table = read_csv(file, dtype={"case_id": str}).set_index("case_id")
    return table[["risk_score"]].rename(columns={"risk_score": DEEP_RISK})
