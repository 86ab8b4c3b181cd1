"""Who may import whom, and who may print."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "nnunetv2_adamss"
# Folder: what its files must not import, at any depth.
FORBIDDEN = {
    "networks": ("nnunetv2", "pandas", "SimpleITK", "nnunetv2_adamss.trainers", "nnunetv2_adamss.datasets"),
    "survival": ("nnunetv2_adamss.trainers", "nnunetv2_adamss.cli"),
    "trainers": ("nnunetv2_adamss.cli", "nnunetv2_adamss.datasets", "nnunetv2_adamss.demo"),
    "datasets": ("nnunetv2", "torch", "nnunetv2_adamss.trainers", "nnunetv2_adamss.networks"),
    "evaluation": ("nnunetv2_adamss.trainers", "nnunetv2_adamss.cli"),
}


def imported_modules(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            modules.add(node.module or "")
    return modules


@pytest.mark.parametrize("folder", sorted(FORBIDDEN))
def test_a_folder_imports_only_what_it_may(folder: str) -> None:
    for path in (PACKAGE / folder).rglob("*.py"):
        for module in imported_modules(path):
            for forbidden in FORBIDDEN[folder]:
                assert module != forbidden, f"{path} imports {module}"
                assert not module.startswith(f"{forbidden}."), f"{path} imports {module}"


@pytest.mark.parametrize("command", ["demo", "make_phantom_dataset", "trainer_path"])
def test_help_answers_without_importing_anything_heavy(command: str) -> None:
    code = (
        "import contextlib, io, sys\n"
        f"from nnunetv2_adamss.cli.{command} import main\n"
        "with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):\n"
        "    main(['--help'])\n"
        "assert 'usage: adamss_' in out.getvalue()\n"
        "print(sorted({'torch', 'nnunetv2', 'pandas', 'SimpleITK', 'matplotlib', 'numpy'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
