"""A trained survival fold whose results a test may spoil, and networks that answer immediately."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nnunetv2_adamss.explanation.explained_case import ExplainedCase
from nnunetv2_adamss.explanation.explained_model import ExplainedModel
from nnunetv2_adamss.networks.trunk import Interpretation
from tests.trained_model import TrainedModel


@contextmanager
def own_results(model: TrainedModel, folder: Path) -> Iterator[Path]:
    """Fold 0 of the model in other results, with nnU-Net's variables set; files are links, so replace them whole."""
    copy = model.linked_in(folder)
    with pytest.MonkeyPatch.context() as monkeypatch:
        model.project.use(monkeypatch)
        monkeypatch.setenv("nnUNet_results", str(folder))
        yield copy.folder / "fold_0"
    shutil.rmtree(folder)


@pytest.fixture
def fold_folder(trained_model: TrainedModel, tmp_path: Path) -> Iterator[Path]:
    with own_results(trained_model, tmp_path / "results") as folder:
        yield folder


@pytest.fixture
def quick_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of constants, for what does not depend on their answers."""

    def look(fold: ExplainedModel, case: ExplainedCase) -> dict[str, Interpretation]:
        sides = [[side // 2**i for side in case.image.shape[2:]] for i in range(4)]
        w_fuse = [torch.full((1, 1, *side), 0.25) for side in sides]
        attention = [torch.full((1, 1, *side), 0.75) for side in sides[:-1]]
        return {stage: Interpretation(w_fuse, attention) for stage in ("stage_one", "stage_two")}

    def risk_of(fold: ExplainedModel, case: ExplainedCase) -> Callable[[torch.Tensor], NDArray[np.float64]]:
        return lambda image: image.double().mean(dim=(1, 2, 3, 4)).numpy()

    monkeypatch.setattr(ExplainedModel, "look", look)
    monkeypatch.setattr(ExplainedModel, "risk_of", risk_of)
