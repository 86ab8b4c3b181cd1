"""What tells a data set that this package converts, or has converted, from any other folder."""

from pathlib import Path

LOG_FILE = "conversion_log.json"
UNFINISHED = ".conversion"  # folder in the data set that is gone when all is done
BEGUN = f"{UNFINISHED}/settings.json"  # of the run that writes here, or was killed
DONE = f"{UNFINISHED}/cases"  # what the log will say of each patient
REPLACED = (
    f"{UNFINISHED}/replaced"  # an empty file for each patient whose images are not in the log as they are
)


def is_conversion(folder: Path) -> bool:
    """Whether a folder is a converted data set, finished or not."""
    return (folder / LOG_FILE).is_file() or (folder / UNFINISHED).is_dir()
