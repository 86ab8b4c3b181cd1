"""``adamss_trainer_path``: print the folder that nnU-Net must search for the trainers."""

import argparse

from nnunetv2_adamss.plugin_folder import PLUGIN_FOLDER

_EPILOG = """
The package's start-up file adds this folder to nnUNet_extTrainer by itself. Where Python does not read
start-up files (pip install --target, a folder on PYTHONPATH, python -S), set it by hand:

  export nnUNet_extTrainer="$(adamss_trainer_path)"
"""


def build_parser() -> argparse.ArgumentParser:
    """The command's options."""
    return argparse.ArgumentParser(
        prog="adamss_trainer_path",
        description="Print the folder in which nnU-Net finds the AdaMSS trainers.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    build_parser().parse_args(argv)
    print(PLUGIN_FOLDER)
    return 0
