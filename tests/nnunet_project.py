"""nnU-Net's three folders and its commands, as a user has them."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class NnunetProject:
    """nnU-Net's folders below one root."""

    root: Path

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def preprocessed(self) -> Path:
        return self.root / "preprocessed"

    @property
    def results(self) -> Path:
        return self.root / "results"

    @property
    def environment(self) -> dict[str, str]:
        """nnU-Net's own variables, and few worker processes."""
        return {
            "nnUNet_raw": str(self.raw),
            "nnUNet_preprocessed": str(self.preprocessed),
            "nnUNet_results": str(self.results),
            "nnUNet_n_proc_DA": "1",
            "nnUNet_def_n_proc": "2",
        }

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Set nnU-Net's variables in this process too."""
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)


def read_plans(project: NnunetProject, dataset: str = "Dataset901_Tiny") -> dict[str, Any]:
    """The plan of a data set, as nnU-Net hands it to a trainer."""
    plans = json.loads((project.preprocessed / dataset / "nnUNetPlans.json").read_text())
    return plans | {"continue_training": False}


def command_line(command: str, *arguments: str) -> list[str]:
    """An installed console script of the running interpreter's environment, with its arguments."""
    return [str(Path(sys.executable).parent / command), *arguments]


def run_command(
    command: str, *arguments: str, environment: dict[str, str], expect_failure: bool = False
) -> str:
    """Run a console script to its end and return all that it printed."""
    done = subprocess.run(
        command_line(command, *arguments),
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == expect_failure, done.stdout
    return done.stdout
