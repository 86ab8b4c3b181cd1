"""Check names that a user gives to files and folders in nnU-Net's folders."""

import argparse
import re


def file_name(text: str) -> str:
    """Return an option's value as the name of a file or folder, which must not lead to another place.

    Raises:
        argparse.ArgumentTypeError: if it is not such a name.
    """
    if not re.fullmatch(r"\w[\w.-]*", text):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a valid name; expected letters, digits, '.', '_' and '-', no '.' or '-' first"
        )
    return text
