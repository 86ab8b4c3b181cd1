"""Stage II in nnU-Net's logger for Weights & Biases, of which a page of the documentation says what it gets."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nnunetv2.training.logging import nnunet_logger

from tests.nnunet_project import NnunetProject
from tests.test_architecture import REPOSITORY
from tests.trainers.test_survival_trainer import trained, use

pytestmark = [
    # nnU-Net's search for the Stage-I trainer imports all of its trainers.
    pytest.mark.filterwarnings("ignore::FutureWarning:torch"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
PAGE = REPOSITORY / "docs" / "weights_and_biases.md"


class Run:
    """Stands for a run of the service, to which nothing is sent."""

    def __init__(self) -> None:
        self.step = 0
        self.config: dict[str, Any] = {}
        self.summary: dict[str, Any] = {}
        self.logged: dict[str, list[Any]] = {}

    def log(self, values: dict[str, Any], step: int) -> None:
        for name, value in values.items():
            self.logged.setdefault(name, []).append(value)


def test_every_epoch_logs_the_values_that_the_page_lists(
    survival_project: NnunetProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run()
    monkeypatch.setattr(nnunet_logger, "wandb", SimpleNamespace(init=lambda **settings: run))
    monkeypatch.setenv("nnUNet_wandb_enabled", "1")
    trainer = trained(use(survival_project, tmp_path, monkeypatch))
    listed = re.search(r"^\| II \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    assert listed
    assert set(run.logged) == set(re.findall(r"`(\w+)`", listed[1]))
    assert {len(values) for values in run.logged.values()} == {trainer.num_epochs}
    assert {"plans", "configuration", "fold", "dataset", "hparas", "JobID"} == set(run.config)
