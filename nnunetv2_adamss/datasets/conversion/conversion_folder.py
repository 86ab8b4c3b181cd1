"""Files by which a data set that this package converts, or has converted, is recognised."""

from pathlib import Path

LOG_FILE = "conversion_log.json"
UNFINISHED = ".conversion"  # folder in the data set, removed when all is done
BEGUN = f"{UNFINISHED}/settings.json"  # written by the run that works here, or was killed
DONE = f"{UNFINISHED}/cases"  # the later log entry of each patient
REPLACED = (
    f"{UNFINISHED}/replaced"  # an empty file for each patient whose images are not in the log as they are
)


def is_conversion(folder: Path) -> bool:
    """Return True if a folder is a converted data set, finished or not."""
    return (folder / LOG_FILE).is_file() or (folder / UNFINISHED).is_dir()
