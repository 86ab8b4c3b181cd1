"""Write one PDF a patient, with the same page as in the report."""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from nnunetv2_adamss.common.progress import Progress
from nnunetv2_adamss.display.blocks import Section
from nnunetv2_adamss.display.pdf import find_browser, print_pdf


def write_patient_pdfs(
    folder: Path,
    pages: Iterable[Section],
    write_html: Callable[[Path, Sequence[Section]], None],
    progress: Progress,
) -> None:
    """Write ``CASE.pdf`` for each page.

    Args:
        folder: to write to; made if it is not there.
        pages: the sections of the patients, whose titles are the names of the cases.
        write_html: writes sections as an HTML file, with the notices above them.
        progress: shows which page is printed.

    Raises:
        ValueError: if there is no browser to print them, or it fails to print one.
    """
    browser = find_browser()
    folder.mkdir(parents=True, exist_ok=True)
    # A browser that was installed as a snap does not see the system's folder for temporary files.
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        html = Path(temporary) / "patient.html"
        for page in progress(list(pages), "PDF"):
            write_html(html, [page])
            print_pdf(browser, html, folder / f"{page.title}.pdf")
