"""The content of a file of radiomics settings, as plain values: names, lists, numbers, texts."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

# pyradiomics' settings have four levels and some hundred values.
_MAX_DEPTH = 10
_MAX_VALUES = 10_000
# A number of more digits than a double has room for.
_LONG_NUMBER = re.compile(r"\d{309,}")
_SHOWN_DIGITS = 20


def read_settings_file(file: Path) -> Any:
    """Read the content of a YAML or JSON file.

    Raises:
        ValueError: naming the file, if it does not exist, is not YAML, or holds values that no settings have.
    """
    if not file.is_file():
        raise ValueError(f"There is no file of radiomics settings {file}.")
    try:
        text = file.read_text(encoding="utf-8")
        _check_numbers(text)
        content = yaml.safe_load(text)
        _check_values(content)
    except RecursionError as error:
        raise ValueError(f"{file} is nested too deeply for radiomics settings.") from error
    # PyYAML has errors of its own, but also passes on those of Python's numbers, dates and dictionaries.
    except Exception as error:
        what = " ".join(str(error).split()).removesuffix(".")
        raise ValueError(f"{file} cannot be read as YAML with radiomics settings: {what}.") from error
    return content


def leaves(content: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield all values that hold no others, each with the names and positions that lead to it.

    Raises:
        ValueError: if a value holds others too many levels deep, such as itself, or a name is a date or the like.
    """
    if not isinstance(content, Mapping | list | tuple):
        yield path, content
        return
    if len(path) == _MAX_DEPTH:
        raise ValueError(f"it is nested more than {_MAX_DEPTH} levels deep")
    named = content.items() if isinstance(content, Mapping) else enumerate(content, 1)
    for name, value in named:
        if not isinstance(name, str | int | float | None):
            raise ValueError(f"{name!s:.40} stands where a name is expected")
        yield from leaves(value, (*path, str(name)))


def _check_numbers(text: str) -> None:
    """Raise ValueError for a number of thousands of digits, which Python refuses to read without naming the line."""
    found = _LONG_NUMBER.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        digits = found.group()
        raise ValueError(f"line {line} has a number of {len(digits):,} digits ({digits[:_SHOWN_DIGITS]}...)")


def _check_values(content: Any) -> None:
    """Raise ValueError for values that JSON cannot hold, such as dates, and for aliases that multiply."""
    values = list(islice(leaves(content), _MAX_VALUES + 1))
    if len(values) > _MAX_VALUES:
        raise ValueError(f"it has more than {_MAX_VALUES:,} values")
    for path, value in values:
        if not isinstance(value, str | int | float | None):
            raise ValueError(f"{' '.join(path)} is {value!s:.40}, which is neither a number nor a text")
