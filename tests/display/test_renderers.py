"""Blocks as Markdown and as lines for a terminal."""

import pytest

from nnunetv2_adamss.display.blocks import Columns, Facts, Notice, Picture, Section, Table, Text
from nnunetv2_adamss.display.markdown import markdown
from nnunetv2_adamss.display.text import text_of

TABLE = Table("Scores", ["Fold", "C"], [["0", "0.7"], ["a|b", "–"]], ["One note.", "Another."])  # noqa: RUF001
BLOCKS = [
    Text("A sentence."),
    Notice("Beware.", is_caution=True),
    Notice("Run this."),
    Facts([("Events", "12")]),
    Section("s", "Results", [TABLE]),
    Picture("data:,", "seen", "read"),
    Columns([[Text("left")], [Text("right")]]),
]


def test_markdown_has_captions_as_headlines_and_notes_as_bullets() -> None:
    assert markdown("Title", BLOCKS) == (
        "# Title\n\nA sentence.\n\n**Caution.** Beware.\n\n**Note.** Run this.\n\n- Events: 12\n\n## Results\n\n"
        "### Scores\n\n| Fold | C |\n| --- | --- |\n| 0 | 0.7 |\n| a/b | – |\n\n- One note.\n- Another.\n\n"  # noqa: RUF001
        "left\n\nright\n"
    )


def test_a_terminal_gets_columns_and_empty_lines_between_blocks() -> None:
    assert text_of(*BLOCKS).splitlines() == [
        "A sentence.", "", "Caution. Beware.", "", "Note. Run this.", "", "Events:  12", "", "Results", "=======", "",
        "Scores", "Fold    C", "0     0.7", "a|b     –", "One note.", "Another.", "", "left", "", "right",  # noqa: RUF001
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "line"), [({"n_names": 2}, "0     0.7"), ({"is_prose": True}, "0     0.7")]
)
def test_columns_that_name_rows_and_sentences_are_flush_left(options: dict[str, int], line: str) -> None:
    table = Table("", ["Fold", "C of all"], [["0", "0.7"]], **options)  # type: ignore[arg-type]
    assert text_of(table).splitlines() == ["Fold  C of all", line]
    assert text_of(Table("", ["Fold", "C of all"], [["0", "0.7"]])).splitlines()[1] == "0          0.7"
