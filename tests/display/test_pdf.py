"""PDFs by a browser: found, run, and answered for."""

import shutil
from pathlib import Path

import pytest

from nnunetv2_adamss.display.pdf import find_browser, print_pdf


def write_browser(folder: Path, script: str) -> str:
    """A program in the place of a browser."""
    file = folder / "browser"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


def test_without_a_browser_a_sentence_says_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ValueError, match=r"install Chromium .*apt-get install chromium.*Google Chrome"):
        find_browser()


def test_the_first_browser_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"google-chrome": "/opt/google-chrome", "microsoft-edge": "/opt/edge"}
    monkeypatch.setattr(shutil, "which", there.get)
    assert find_browser() == "/opt/google-chrome"


def test_the_page_is_printed_to_the_file(tmp_path: Path) -> None:
    browser = write_browser(
        tmp_path, 'for a in "$@"; do case $a in --print-to-pdf=*) echo "$@" > "${a#*=}";; esac; done'
    )
    print_pdf(browser, tmp_path / "page.html", tmp_path / "new" / "case.pdf")
    assert (tmp_path / "page.html").as_uri() in (tmp_path / "new" / "case.pdf").read_text()
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["case.pdf"]


@pytest.mark.parametrize(
    ("script", "words"), [("echo no fonts >&2; exit 3", "no fonts"), ("exit 0", "no message")]
)
def test_a_browser_that_prints_nothing_is_named_with_its_last_words(
    tmp_path: Path, script: str, words: str
) -> None:
    browser = write_browser(tmp_path, script)
    with pytest.raises(ValueError, match=f"browser did not print .*page.html: {words}"):
        print_pdf(browser, tmp_path / "page.html", tmp_path / "case.pdf")
    assert not (tmp_path / "case.pdf").exists()
