"""Install the start-up file that lets nnU-Net find the trainers; all else is in setup.cfg."""

from pathlib import Path

from setuptools import Command, setup
from setuptools.command.build import build

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
            folder = repr(str(Path(__file__).parent.resolve() / PLUGIN))
        else:
            destination = self.build_lib
            folder = f"os.path.join(sitedir, *{PLUGIN.split('/')})"
        Path(destination).mkdir(parents=True, exist_ok=True)
        startup_file = Path(destination, "nnunetv2_adamss.pth")
        startup_file.write_text(STARTUP_LINE.format(folder=folder), encoding="utf-8")


class Build(build):
    """As setuptools', with the start-up file."""

    sub_commands = [*build.sub_commands, ("build_startup_file", None)]


setup(cmdclass={"build": Build, "build_startup_file": BuildStartupFile})
