"""Read a few named tags of a DICOM file and nothing else, so that names and dates of patients stay in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pydicom
from pydicom.datadict import tag_for_keyword
from pydicom.tag import Tag

_PREAMBLE, _MAGIC = 128, b"DICM"
_FILE_META_GROUP = 2


def is_dicom(file: Path) -> bool:
    """Return True if a file begins as the standard demands."""
    try:
        with file.open("rb") as stream:
            return stream.read(_PREAMBLE + len(_MAGIC))[_PREAMBLE:] == _MAGIC
    except OSError:
        return False


def read_tags(file: Path, keywords: Sequence[str | tuple[int, int]]) -> dict[Any, Any]:
    """Read the values of some tags, in front of the pixels.

    Args:
        file: DICOM.
        keywords: of the standard, or group and element of a private tag; group 2 describes the file.

    Returns:
        Values by keyword; tags that are absent or empty are left out. Items of sequences are such values, too.

    Raises:
        ValueError: if the file cannot be read. The message holds no path and no value.
    """
    # Files with values that the standard forbids are read as far as possible; warnings would print these values.
    with pydicom.config.disable_value_validation():
        try:
            content = pydicom.dcmread(
                file, stop_before_pixels=True, specific_tags=[_tag(keyword) for keyword in keywords]
            )
            found = {keyword: _element(content, _tag(keyword)) for keyword in keywords}
            values = {
                keyword: _plain(element.value) for keyword, element in found.items() if element is not None
            }
        except OSError as error:
            raise ValueError(f"a file cannot be opened ({error.strerror})") from None
        # pydicom raises errors of many kinds for damaged bytes.
        except Exception as error:
            raise ValueError(f"a file is damaged ({type(error).__name__} in its header)") from None
    return {keyword: value for keyword, value in values.items() if value not in (None, "")}


def tag_name(keyword: str | tuple[int, int]) -> str:
    """Return how messages name a tag, such as ``PatientWeight (0010,1030)``."""
    tag = _tag(keyword)
    number = f"({tag.group:04x},{tag.element:04x})"
    return f"{keyword} {number}" if isinstance(keyword, str) else f"private tag {number}"


def number_of(tags: Mapping[Any, Any], keyword: str | tuple[int, int]) -> float:
    """Return a tag's number.

    Raises:
        ValueError: naming the tag, if it is missing or no number.
    """
    if keyword not in tags:
        raise ValueError(f"{tag_name(keyword)} is missing")
    try:
        return float(tags[keyword])
    except (TypeError, ValueError):
        raise ValueError(f"{tag_name(keyword)} is not a number") from None


def texts_of(tags: Mapping[Any, Any], keyword: str) -> list[str]:
    """Return the values of a tag that may have one or several; none if it is missing."""
    value = tags.get(keyword, ())
    return [value] if isinstance(value, str) else [str(one) for one in value]


def _tag(keyword: str | tuple[int, int]) -> Any:
    return Tag(tag_for_keyword(keyword) if isinstance(keyword, str) else keyword)


def _element(content: pydicom.FileDataset, tag: Any) -> Any:
    return (content.file_meta if tag.group == _FILE_META_GROUP else content).get(tag)


def _plain(value: Any) -> Any:
    """Return bytes as text, and the items of a sequence as values by keyword."""
    if isinstance(value, bytes):
        return value.decode("ascii", errors="replace").strip("\0 ")
    if isinstance(value, pydicom.Sequence):
        items = [{element.keyword: _plain(element.value) for element in item} for item in value]
        return [{name: inner for name, inner in item.items() if inner not in (None, "")} for item in items]
    return value
