"""Notebooks of the documentation, run from their first cell to their last as a reader runs them."""

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.nnunet_project import run_command
from tests.test_architecture import REPOSITORY

NOTEBOOKS = REPOSITORY / "docs" / "notebooks"
Cells = Sequence[Mapping[str, Any]]


def stored_cells(name: str) -> Cells:
    """The cells with the outputs that the repository keeps."""
    return _cells(NOTEBOOKS / name)


def run_notebook(name: str, folder: Path, **environment: str) -> Cells:
    """Run a copy in a folder, with the commands of this Python; fails with the cell that fails."""
    copy = Path(shutil.copy(NOTEBOOKS / name, folder))
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "IPYTHONDIR": str(folder / "ipython"),
    }
    environment = {**own, **environment}
    run_command("jupyter-execute", "--inplace", str(copy), environment=environment)
    return _cells(copy)


def outputs(cells: Cells) -> str:
    """All text that code cells have printed or shown, however many pieces it came in."""
    found = [output for cell in cells for output in cell.get("outputs", [])]
    texts = [output.get("text") or output["data"]["text/plain"] for output in found]
    return "".join("".join(text) for text in texts)


def _cells(notebook: Path) -> Cells:
    cells: Cells = json.loads(notebook.read_text())["cells"]
    return cells
