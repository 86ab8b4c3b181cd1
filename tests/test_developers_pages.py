"""The developers' pages say what the code is: rooms, imports, paths and words."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.test_architecture import PACKAGE, REPOSITORY, RULES

PAGES = REPOSITORY / "docs" / "developers"
Row = tuple[str, ...]


def rows(page: str) -> list[Row]:
    """Cells of the tables of a page, without their headers."""
    found, is_header = [], True
    for line in (PAGES / page).read_text().splitlines():
        if not line.startswith("|"):
            is_header = True
        elif set(line) <= set("|-"):
            is_header = False
        elif not is_header:
            found.append(tuple(cell.strip() for cell in line.strip("|").split("|")))
    return found


def defined_names() -> Iterator[tuple[str, Path]]:
    """Names of files, folders, classes, functions and their arguments."""
    for path in PACKAGE.rglob("*.py"):
        yield from ((part, path) for part in path.relative_to(PACKAGE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                yield node.name, path
            elif isinstance(node, ast.arg):
                yield node.arg, path


def words_of(name: str) -> list[str]:
    """``EvaluationSettings`` and ``evaluation_settings`` are both ``evaluation`` and ``settings``."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def test_the_page_lists_the_folders_and_imports_that_are_enforced() -> None:
    listed = {row[0].strip("`/"): row[2] for row in rows("architecture.md") if len(row) == 3}
    listed.pop("cli")
    listed.pop("nnunet_plugin")
    lowest_first = list(RULES)
    assert list(listed) == lowest_first
    for folder, (allowed, _) in RULES.items():
        names = ", ".join(sorted(allowed, key=lowest_first.index)) or "nothing of ours"
        assert listed[folder] == names, folder


def test_files_that_the_pages_name_are_there() -> None:
    files = [path.as_posix() for folder in (PACKAGE, REPOSITORY / "tests") for path in folder.rglob("*.py")]
    for page in PAGES.glob("*.md"):
        for name in re.findall(r"`((?:\w+/)*\w+\.py)`", page.read_text()):
            is_there = any(file.endswith(f"/{name}") for file in files)
            assert is_there or "NAME" in name, f"{page.name} names {name}"


def test_every_word_of_the_glossary_stands_once() -> None:
    table = rows("glossary.md")
    words = [row[0].lower() for row in table] + [w for row in table for w in row[2].split(", ") if w]
    assert [word for word, count in Counter(words).items() if count > 1] == []


def test_no_name_in_the_package_is_a_second_word_for_one_thing() -> None:
    refused = {tuple(word.split("_")) for row in rows("glossary.md") for word in row[2].split(", ") if word}
    for name, path in defined_names():
        words = words_of(name)
        for one in refused:
            places = range(len(words) - len(one) + 1)
            found = any(tuple(words[i : i + len(one)]) == one for i in places)
            assert not found, f"{name} in {path}: the glossary has another word for {' '.join(one)}"
