"""nnU-Net finds the trainers without configuration, from a wheel and from an editable install."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from nnunetv2_adamss.cli.trainer_path import main as trainer_path
from nnunetv2_adamss.plugin_folder import PLUGIN_FOLDER
from tests.test_release import kept_files

REPOSITORY = Path(__file__).parents[1]
SOURCES = ("nnunetv2_adamss", "setup.py", "pyproject.toml", "README.md", "LICENSE")

PIP_INSTALL = ("-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", "--quiet")

FIND_TWICE = """
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from nnunetv2.utilities.find_objects import recursive_find_trainer_class_by_name as find

def name_found_by_worker(_):
    return find("AdaMSSSegTrainer").__module__

if __name__ == "__main__":
    first, second = find("AdaMSSSegTrainer"), find("AdaMSSSegTrainer")
    assert first is second
    assert pickle.loads(pickle.dumps(first)) is first
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(name_found_by_worker, [0])) == ["nnunetv2_adamss.trainers"]
    import nnunetv2_adamss
    print("FOUND IN", nnunetv2_adamss.__file__)
"""


class CleanEnvironment:
    """A virtual environment that sees the dependencies of this one, but neither its .pth files nor our package."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False)
        self.python = folder / "bin" / "python"
        self.site_packages = Path(
            sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
        )
        (self.site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(self, *arguments: str, **environment: str) -> str:
        clean = {k: v for k, v in os.environ.items() if k not in ("nnUNet_extTrainer", "PYTHONPATH")}
        done = subprocess.run(
            [str(self.python), *arguments],
            env=clean | environment,
            cwd=self.site_packages,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def ext_trainer(self, **environment: str) -> list[str]:
        """nnUNet_extTrainer as a fresh Python sees it, split."""
        code = "import os; print(os.environ.get('nnUNet_extTrainer', ''))"
        return self.run("-c", code, **environment).strip().split(os.pathsep)


def copy_sources(destination: Path) -> Path:
    """Copy what a build needs, so that it leaves nothing in the checkout."""
    destination.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, destination / name)
    return destination


@pytest.fixture(scope="module", params=["wheel", "editable"])
def installed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[CleanEnvironment, Path]:
    """The package installed in each way, and the plugin folder that nnU-Net should be given."""
    folder = tmp_path_factory.mktemp(request.param)
    sources = copy_sources(folder / "sources")
    environment = CleanEnvironment(folder / "environment")
    if request.param == "wheel":
        environment.run("-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(sources))
        environment.run(*PIP_INSTALL, str(next(folder.glob("*.whl"))))
        return environment, environment.site_packages / "nnunetv2_adamss" / "nnunet_plugin"
    environment.run(*PIP_INSTALL, "--editable", str(sources))
    return environment, sources / "nnunetv2_adamss" / "nnunet_plugin"


def test_an_installation_has_every_file_of_the_package(installed: tuple[CleanEnvironment, Path]) -> None:
    """Also those that are no Python, such as templates and the benchmark's Snakefile."""
    package = installed[1].parent
    kept = [name for name in kept_files() if name.startswith("nnunetv2_adamss/")]
    assert [name for name in kept if not (package.parent / name).is_file()] == []


@pytest.mark.slow
def test_nnunet_finds_the_same_class_twice_and_in_a_worker_process(
    installed: tuple[CleanEnvironment, Path], tmp_path: Path
) -> None:
    environment, plugin_folder = installed
    script = tmp_path / "find_twice.py"
    script.write_text(FIND_TWICE)
    assert f"FOUND IN {plugin_folder.parent}" in environment.run(str(script))


def test_the_startup_file_keeps_what_the_user_has_set_and_adds_the_folder_once(
    installed: tuple[CleanEnvironment, Path],
) -> None:
    environment, plugin_folder = installed
    assert environment.ext_trainer() == [str(plugin_folder)]
    both = [f"{os.sep}mine", str(plugin_folder)]
    assert environment.ext_trainer(nnUNet_extTrainer=both[0]) == both
    assert environment.ext_trainer(nnUNet_extTrainer=os.pathsep.join(both)) == both


def test_a_python_start_imports_nothing_of_ours(installed: tuple[CleanEnvironment, Path]) -> None:
    environment, _ = installed
    heavy = environment.run(
        "-c",
        "import sys; print([m for m in ('torch', 'numpy', 'nnunetv2', 'nnunetv2_adamss') if m in sys.modules])",
    )
    assert heavy.strip() == "[]"


def test_uninstalling_takes_the_startup_file_along(tmp_path: Path) -> None:
    environment = CleanEnvironment(tmp_path / "environment")
    environment.run(*PIP_INSTALL, "--editable", str(copy_sources(tmp_path / "sources")))
    assert environment.ext_trainer() != [""]
    environment.run("-m", "pip", "uninstall", "--quiet", "--yes", "nnunetv2-adamss")
    assert environment.ext_trainer() == [""]
    assert not list(environment.site_packages.glob("nnunetv2_adamss*"))


def test_the_trainer_path_command_prints_the_plugin_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert trainer_path([]) == 0
    assert capsys.readouterr().out.strip() == str(PLUGIN_FOLDER)
    assert [path.name for path in PLUGIN_FOLDER.glob("*.py")] == ["nnunetv2_adamss_trainers.py"]


def test_an_unknown_trainer_is_not_an_attribute_of_the_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGIN_FOLDER))
    import nnunetv2_adamss_trainers as plugin

    assert not hasattr(plugin, "NoSuchTrainer")
    assert all(getattr(plugin, name).__name__ == name for name in dir(plugin))
    sys.modules.pop("nnunetv2_adamss_trainers")
