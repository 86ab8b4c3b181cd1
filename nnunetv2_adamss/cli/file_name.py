"""Names that a user gives to what is written into one of nnU-Net's folders."""

import argparse
import re


def file_name(text: str) -> str:
    """An option that becomes the name of a file or folder: it must not lead anywhere else.

    Raises:
        argparse.ArgumentTypeError: if it does.
    """
    if not re.fullmatch(r"\w[\w.-]*", text):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no name; expected letters, digits, '.', '_' and '-', no '.' or '-' first"
        )
    return text
