"""One spelling for each idea: the page of options is compared with the parsers, and documented commands are parsed."""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.all_commands import PARSERS, spellings

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "commands.md").read_text()
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


def table(first_head: str) -> list[list[str]]:
    """The cells of the rows below this head."""
    rows = PAGE.split(f"| {first_head} |")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_page_lists_every_option_that_commands_share_and_the_commands_that_have_it() -> None:
    commands_of: dict[str, set[str]] = defaultdict(set)
    for command, parser in PARSERS.items():
        for spelling in spellings(parser):
            commands_of[spelling].add(command.removeprefix("adamss_"))
    listed = {
        name: set(commands.split(", ")) for _, names, commands in table("what") for name in names_in(names)
    }
    assert {name: commands_of[name] for name in listed} == listed
    assert {name for name, commands in commands_of.items() if len(commands) > 1} <= set(listed)


def test_every_command_has_the_general_options_and_examples() -> None:
    for command, parser in PARSERS.items():
        shown = parser.format_help()
        for words in ("-v, --verbose", "-q, --quiet", "--version", "examples:\n", command):
            assert words in shown, f"{command} has no {words}"


def test_the_page_lists_every_spelling_that_has_changed() -> None:
    listed = {(command, old, new) for command, old, new in table("command")}
    renamed = {
        (command.removeprefix("adamss_"), f"`{one.old}`", f"`{one.new}`")
        for command, parser in PARSERS.items()
        for one in parser.renamed
    }
    moved = {
        (
            command.removeprefix("adamss_"),
            " ".join(f"`{action.metavar}`" for action in parser.once_positional),
            " ".join(f"`{action.option_strings[0]}`" for action in parser.once_positional),
        )
        for command, parser in PARSERS.items()
        if parser.once_positional
    }
    assert listed == renamed | moved


def lines_of(text: str) -> Iterator[str]:
    """Its command lines, whole; without those that show alternatives, and without what is said beside them."""
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        command = re.split(r"\s{2,}(?=[^-\s])", line.strip())[0]
        is_command = command.split(" ")[0] in PARSERS and " " in command
        if is_command and not re.search(r"\[|\.\.\.|[|<>]|FORMAT", command):
            yield command


def command_lines() -> list[str]:
    blocks = [re.findall(r"(?:^ {4,}.*\n|^adamss_.*\n)+", page.read_text(), re.MULTILINE) for page in PAGES]
    examples = [str(parser.epilog).split("examples:\n")[1].split("\n\n")[0] for parser in PARSERS.values()]
    texts = [*(text for page in blocks for text in page), *examples]
    return sorted({line for text in texts for line in lines_of(text)})


@pytest.mark.parametrize("line", command_lines())
def test_a_command_line_of_help_and_pages_is_in_todays_spelling(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # Those of Slurm are numbers.
    command, *words = shlex.split(re.sub(r"\$SLURM_\w+", "1", line))
    PARSERS[command].parse_args(words)
    assert capsys.readouterr().err == ""


def test_every_command_with_options_has_an_example_among_them() -> None:
    assert {line.split()[0] for line in command_lines()} == set(PARSERS) - {"adamss_trainer_path"}
