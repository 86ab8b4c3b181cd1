"""What tells a data set that this package converts, or has converted, from any other folder."""

from pathlib import Path

LOG_FILE = "conversion_log.json"
UNFINISHED = ".conversion"  # folder in the data set that is gone when all is done


def is_conversion(folder: Path) -> bool:
    """Whether a folder is a converted data set, finished or not."""
    return (folder / LOG_FILE).is_file() or (folder / UNFINISHED).is_dir()
