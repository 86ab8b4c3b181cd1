"""All commands, by their names."""

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points

from nnunetv2_adamss.cli.command_parser import CommandParser

PARSERS: Mapping[str, CommandParser] = {
    script.name: importlib.import_module(script.module).build_parser()
    for script in entry_points(group="console_scripts")
    if script.name.startswith("adamss_")
}


def spellings(parser: CommandParser) -> set[str]:
    """What a user types of a command's own options, and the names of its positional arguments."""
    general = next(group for group in parser._action_groups if group.title == "general")
    actions = [action for action in parser._actions if action not in general._group_actions]
    return {name for action in actions for name in action.option_strings or [str(action.metavar)]} - {
        "-h",
        "--help",
    }
