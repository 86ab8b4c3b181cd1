"""Files that run code when they are opened without a check: they leave a marker."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (str(self.marker),)


def change_checkpoint(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Write a checkpoint again, into a new file: the old one may be a link to that of other tests."""
    checkpoint = torch.load(file, weights_only=True)
    change(checkpoint)
    file.unlink()
    torch.save(checkpoint, file)


def plant_in_checkpoint(file: Path, marker: Path) -> None:
    """Put a payload beside everything that a checkpoint holds."""
    change_checkpoint(file, lambda checkpoint: checkpoint.update(more=Payload(marker)))


def plant_in_pickle(file: Path, marker: Path) -> None:
    """Put a payload into the properties of a preprocessed case."""
    with file.open("rb") as stream:
        properties = pickle.load(stream)
    file.unlink()
    with file.open("wb") as stream:
        pickle.dump({**properties, "more": Payload(marker)}, stream)


def change_json(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Write an object again, into a new file."""
    content = json.loads(file.read_text())
    change(content)
    file.unlink()
    file.write_text(json.dumps(content))


def name_in_plan(plans: dict[str, Any], network: str) -> None:
    """Let every configuration name this network class, with an argument that such a function takes."""
    for configuration in plans["configurations"].values():
        if "architecture" in configuration:
            configuration["architecture"]["network_class_name"] = network
