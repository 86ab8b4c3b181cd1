"""Blocks become valid, accessible HTML that holds everything it needs."""

import re
from pathlib import Path

import html5lib
import pytest

from nnunetv2_adamss.display.blocks import (
    Columns,
    Facts,
    Notice,
    Picture,
    Section,
    Table,
    Text,
)
from nnunetv2_adamss.display.html import write_page

EVIL = "<b>bold</b> & \"quoted\" 'case'"
PIXEL = "data:image/png;base64,iVBORw0KGgo="


@pytest.fixture
def page(tmp_path: Path) -> str:
    """A page with every kind of block, all of whose words are hostile."""
    picture = Picture(PIXEL, EVIL, EVIL, width=100)
    blocks = [
        Text(EVIL), Notice(EVIL), Notice(EVIL, is_caution=True), Facts([(EVIL, EVIL)]), Facts([(EVIL, EVIL)], "steps"),
        Facts([(EVIL, EVIL)], "headlines"), Table(EVIL, [EVIL, EVIL], [[EVIL, EVIL]], [EVIL, EVIL]), picture,
        Columns([[picture], [Text(EVIL)]]), Section("inner", EVIL, [Text(EVIL)], begins_page=True),
        Section("other", EVIL, begins_page=True),
    ]  # fmt: skip
    file = tmp_path / "folder" / "report.html"
    write_page(file, EVIL, EVIL, [Notice(EVIL)], [Section("outer", EVIL, blocks, begins_page=True)])
    return file.read_text(encoding="utf-8")


def test_nothing_of_the_users_acts_as_html(page: str) -> None:
    assert "<b>" not in page
    assert page.count("&lt;b&gt;bold") >= 20


def test_the_page_is_valid_html(page: str) -> None:
    html5lib.HTMLParser(strict=True).parse(page)


def test_commands_between_backticks_look_like_what_one_types_and_stay_escaped(tmp_path: Path) -> None:
    write_page(tmp_path / "r.html", "t", "s", [], [Section("a", "A", [Text("run `cmd <x>` now")])])
    assert "run <code>cmd &lt;x&gt;</code> now" in (tmp_path / "r.html").read_text()


def test_a_table_says_which_cells_are_headers(tmp_path: Path) -> None:
    table = Table("C", ["Fold", "Label", "Dice"], [["0", "tumour", "0.7"]], n_names=2)
    write_page(tmp_path / "r.html", "t", "s", [], [Section("a", "A", [table])])
    html = (tmp_path / "r.html").read_text()
    assert html.count('scope="col"') == 3
    assert '<th scope="row">0</th><td class="name">tumour</td><td>0.7</td>' in html


def test_sections_that_begin_pages_are_listed_before_the_first_of_several(tmp_path: Path) -> None:
    pages = [Section(name, name.upper(), begins_page=True) for name in ("a", "b")]
    for shown, links in ((pages, '<li><a href="#a">A</a></li>'), (pages[:1], "")):
        write_page(tmp_path / "r.html", "t", "s", [], [Section("all", "All", [Text("first"), *shown])])
        before = (tmp_path / "r.html").read_text().partition("first</p>")[2].partition("<section")[0]
        assert links in before and ("<ul" in before) is bool(links)


def test_text_and_background_differ_enough_to_be_read() -> None:
    """Contrast of 4.5 to 1 at least, as WCAG 2 asks for."""
    css = (Path(__file__).parents[2] / "nnunetv2_adamss/display/templates/style.css").read_text()
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", css))
    for ink in ("ink", "soft", "accent"):
        for ground in ("#ffffff", colours["shade"]):
            assert _contrast(colours[ink], ground) >= 4.5, (ink, ground)
    assert _contrast(colours["caution"], "#fff8e6") >= 4.5


def _contrast(first: str, second: str) -> float:
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
