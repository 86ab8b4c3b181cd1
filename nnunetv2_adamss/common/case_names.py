"""Names of cases, as files and tables give them."""

from collections.abc import Iterable
from pathlib import Path
from unicodedata import category

from nnunetv2_adamss.common.files import UNFINISHED
from nnunetv2_adamss.common.messages import listed

# The column of every table that names cases.
CASE_ID = "case_id"

# Left beside images by macOS, and by this package's own conversion while it writes.
_LEFTOVERS = ("._", UNFINISHED)
# Unicode's categories of control and formatting characters and line breaks; a space that does not break can be seen.
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp"})


def is_leftover(file_name: str) -> bool:
    """Return True if a hidden file was left beside the images by a program and is not a case."""
    return file_name.startswith(_LEFTOVERS)


def check_case_names(source: Path | str, case_ids: Iterable[str]) -> None:
    """Raise ValueError, naming them, if cases begin with a dot or hold a slash, a line break or a control character.

    Tables and other tools would silently lose such cases, and their files would lie in other folders.

    Args:
        source: folder or argument that names the cases, for the message.
        case_ids: all.
    """
    faulty = sorted(c for c in set(case_ids) if not _can_be_a_case(c))
    if faulty:
        raise ValueError(
            f"{len(faulty)} name(s) in {source} cannot be those of cases: {listed([repr(c) for c in faulty])}. They "
            "are empty, begin with a dot, or hold a slash, a line break or a character that cannot be seen; rename "
            "them, or leave them out."
        )


def _can_be_a_case(name: str) -> bool:
    is_one_file = bool(name) and not name.startswith(".") and Path(name).name == name
    return is_one_file and _UNSEEN.isdisjoint(map(category, name))
