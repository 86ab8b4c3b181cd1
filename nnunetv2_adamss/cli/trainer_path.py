"""``adamss_trainer_path``: print the folder that nnU-Net must search for the trainers."""

from nnunetv2_adamss.cli.command_parser import CommandParser
from nnunetv2_adamss.plugin_folder import PLUGIN_FOLDER

_EPILOG = """
The package's start-up file adds this folder to nnUNet_extTrainer by itself. Where Python does not read
start-up files (pip install --target, a folder on PYTHONPATH, python -S), set it by hand.

examples:
  export nnUNet_extTrainer="$(adamss_trainer_path)"
"""


def build_parser() -> CommandParser:
    """Return the command's parser."""
    return CommandParser(
        "adamss_trainer_path", "Print the folder in which nnU-Net finds the AdaMSS trainers.", _EPILOG
    )


def main(argv: list[str] | None = None) -> int:
    """Run the command: print the folder."""
    parser = build_parser()
    parser.parse_args(argv)
    return parser.run(lambda: print(PLUGIN_FOLDER))
