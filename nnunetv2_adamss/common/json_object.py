"""Objects in JSON files that anything may have happened to: copied in part, edited, written by another program."""

from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.files import read_json
from nnunetv2_adamss.common.messages import listed


def read_object(file: Path, **kinds: type | tuple[type, ...]) -> dict[str, Any]:
    """The object in a file.

    Args:
        file: JSON.
        kinds: of the values that it must hold, by name.

    Raises:
        ValueError: naming the file, if it cannot be read, or holds something else.
        FileNotFoundError: if it is not there.
    """
    content = read_json(file)
    if not isinstance(content, dict):
        raise ValueError(f"{file} holds a {type(content).__name__}, but an object was expected.")
    faults = [name for name, kind in kinds.items() if not isinstance(content.get(name), kind)]
    if faults:
        raise ValueError(f"{file} is damaged or not what it should be: there is no usable {listed(faults)}.")
    return content
