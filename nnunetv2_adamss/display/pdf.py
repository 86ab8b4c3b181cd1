"""Print an HTML page as PDF with a browser without a window."""

import os
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from nnunetv2_adamss.common.files import replace_atomically

_BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_LONGEST_S = 120


def find_browser() -> str:
    """Return the first browser on this machine that prints without a window.

    Raises:
        ValueError: if there is none.
    """
    for name in _BROWSERS:
        if path := shutil.which(name):
            return path
    raise ValueError(
        "A PDF needs a browser that prints without a window, and none was found on the PATH: install Chromium "
        "(Debian and Ubuntu: `apt-get install chromium`), Google Chrome or Microsoft Edge, or print the HTML report "
        "from the browser that you have."
    )


def print_pdf(browser: str, html: Path, pdf: Path) -> None:
    """Print a page, completely or not at all.

    Args:
        browser: path, as :func:`find_browser` returns it.
        html: page written by this package, and therefore trusted.
        pdf: file to write.

    Raises:
        ValueError: if the browser fails to print it.
    """
    replace_atomically(pdf, partial(_print, browser, html))


def _print(browser: str, html: Path, pdf: Path) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # A process of root, as in a container, cannot open Chromium's sandbox.
        root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command = [
            browser, "--headless", "--disable-gpu", "--no-first-run", f"--user-data-dir={profile}", *root,
            "--no-pdf-header-footer", f"--print-to-pdf={pdf}", html.resolve().as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise ValueError(f"{browser} did not print {html} within {_LONGEST_S} s.") from error
    if done.returncode or not pdf.is_file() or not pdf.stat().st_size:
        lines = done.stderr.strip().splitlines() or ["no message"]
        raise ValueError(f"{browser} did not print {html}: {lines[-1]}")
