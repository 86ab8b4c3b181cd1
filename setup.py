"""The two parts of a build that pyproject.toml cannot say: a start-up file for nnU-Net, and README's links."""

import re
import tomllib
from pathlib import Path

from setuptools import Command, setup
from setuptools.command.build import build

HERE = Path(__file__).parent.resolve()
PLUGIN = "nnunetv2_adamss/nnunet_plugin"

# Python runs a .pth line that starts with "import" at every start, so it does the least that works: append
# the plugin's folder to what the user has set, once. `sitedir` is where Python found the file.
STARTUP_LINE = (
    "import os; (lambda folder, folders: os.environ.update(nnUNet_extTrainer=os.pathsep.join("
    "folders if folder in folders else [*folders, folder])))"
    "({folder}, [p for p in os.environ.get('nnUNet_extTrainer', '').split(os.pathsep) if p])\n"
)


class BuildStartupFile(Command):
    """Put nnunetv2_adamss.pth beside the packages, in a wheel and in an editable install."""

    def initialize_options(self):
        self.build_lib = None
        self.editable_mode = False  # setuptools sets it

    def finalize_options(self):
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    def run(self):
        if self.editable_mode:
            # There the packages stay where they are, and only what is put here is installed.
            destination = self.get_finalized_command("install").install_lib
            folder = repr(str(HERE / PLUGIN))
        else:
            destination = self.build_lib
            folder = f"os.path.join(sitedir, *{PLUGIN.split('/')})"
        Path(destination).mkdir(parents=True, exist_ok=True)
        startup_file = Path(destination, "nnunetv2_adamss.pth")
        startup_file.write_text(STARTUP_LINE.format(folder=folder), encoding="utf-8")


class Build(build):
    """As setuptools', with the start-up file."""

    sub_commands = [*build.sub_commands, ("build_startup_file", None)]


def readme_with_absolute_links():
    """README.md, whose links into the repository would lead nowhere from a package index."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    repository = project["urls"]["Repository"]

    def absolute(link):
        return f"{link[0]}{repository}/{'raw' if link[1] else 'blob'}/HEAD/"

    text = (HERE / "README.md").read_text(encoding="utf-8")
    return re.sub(r"(!?)\[[^]]*\]\((?!\w+:|#)", absolute, text)


setup(
    cmdclass={"build": Build, "build_startup_file": BuildStartupFile},
    long_description=readme_with_absolute_links(),
    long_description_content_type="text/markdown",
)
