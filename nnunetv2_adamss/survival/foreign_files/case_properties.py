"""Read the ``.pkl`` file of a preprocessed case: plain values and numpy's arrays, all that nnU-Net writes there."""

import pickle
from pathlib import Path
from typing import Any

# Functions that restore arrays, their types and single numbers. numpy 2 moved them; protocol 5, the default of
# Python 3.14, reads arrays from a buffer.
_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    *(
        (f"numpy.{core}.{module}", name)
        for core in ("core", "_core")
        for module, name in (
            ("multiarray", "_reconstruct"),
            ("multiarray", "scalar"),
            ("numeric", "_frombuffer"),
        )
    ),
    ("collections", "OrderedDict"),
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return super().find_class(module, name)


def read_properties(file: Path) -> dict[str, Any]:
    """Read nnU-Net's properties of a case. Code that the file may hold is never run.

    Raises:
        ValueError: naming the file, if it is damaged or holds more than plain values and arrays.
        FileNotFoundError: if it is not there.
    """
    try:
        with file.open("rb") as stream:
            properties = _PlainUnpickler(stream).load()
    except OSError:
        raise
    # A damaged or foreign file can fail in many ways.
    except Exception as error:
        raise ValueError(
            f"{file} is damaged or holds more than numbers and text, so it is not opened ({error or type(error)}). "
            "Preprocess the data set again (nnUNetv2_preprocess)."
        ) from error
    if not isinstance(properties, dict):
        raise ValueError(
            f"{file} holds a {type(properties).__name__}, not the properties of a case. Preprocess the data set again "
            "(nnUNetv2_preprocess)."
        )
    return properties
