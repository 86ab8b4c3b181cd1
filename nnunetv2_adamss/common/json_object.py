"""Objects in JSON files that may be damaged or foreign: copied in part, edited, written by another program."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from nnunetv2_adamss.common.files import read_json
from nnunetv2_adamss.common.kinds import Kind, unfit
from nnunetv2_adamss.common.messages import listed

_Parsed = TypeVar("_Parsed")

# Errors that parsing plain data raises if they are not as expected.
FAULTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def read_object(file: Path, **kinds: Kind) -> dict[str, Any]:
    """Read the object in a JSON file.

    Args:
        file: JSON.
        kinds: of the values that it must hold, by name.

    Raises:
        ValueError: naming the file, if it cannot be read, or holds something else.
        FileNotFoundError: if it is not there.
    """
    return read_known_object(file, kinds, kinds)


def read_known_object(file: Path, kinds: Mapping[str, Kind], needed: Iterable[str]) -> dict[str, Any]:
    """Read the object in a JSON file of which this reader needs only some entries.

    Args:
        file: JSON.
        kinds: of all entries that are known, by name, with dots between levels; those that are there are checked.
        needed: names of those that must be there.

    Raises:
        ValueError: naming the file, if it cannot be read, or holds something else.
        FileNotFoundError: if it is not there.
    """
    content = read_json(file)
    if not isinstance(content, dict):
        raise ValueError(f"{file} holds {_words(content)}, but an object was expected.")
    check_entries(file, content, kinds, needed)
    return content


def check_entries(
    file: Path, content: Mapping[str, Any], kinds: Mapping[str, Kind], needed: Iterable[str]
) -> None:
    """Raise ValueError, naming the file, if an object from it does not hold what :func:`read_known_object` asks for."""
    if faults := unfit(content, kinds, needed):
        raise ValueError(
            f"{file} is damaged or not what it should be (missing or not usable: {listed(faults)})."
        )


def parse_object(file: Path, parse: Callable[[dict[str, Any]], _Parsed], advice: str = "") -> _Parsed:
    """Parse the object in a JSON file.

    Args:
        file: JSON.
        parse: parses the object, and fails if anything is wrong with it.
        advice: a sentence for the error: where such files come from.

    Raises:
        ValueError: naming the file, if it cannot be read or parsed.
        FileNotFoundError: if it is not there.
    """
    content = read_object(file)
    try:
        return parse(content)
    except FAULTS as error:
        what = f"{error} is missing" if isinstance(error, KeyError) else str(error).rstrip(".")
        raise ValueError(
            f"{file} is damaged or not what it should be ({what}).{' ' * bool(advice)}{advice}"
        ) from error


def _words(content: Any) -> str:
    """Kind of a value in the words of JSON."""
    names = {type(None): "null", list: "a list", str: "a text", bool: "true or false"}
    return names.get(type(content), "a number")
