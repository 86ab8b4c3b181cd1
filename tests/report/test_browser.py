"""The report in a browser: nothing sticks out, nothing is fetched, nothing is complained of."""

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nnunetv2_adamss.report.predicted_patients import NewPatients
from nnunetv2_adamss.report.write_report import write_report
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from tests.nnunet_project import NnunetProject

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to draw the report with")


def run_chromium(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         f"--user-data-dir={tmp_path / 'chromium'}", *arguments],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip


def measured(finished_report: Path, width: int, tmp_path: Path) -> dict[str, int]:
    """Widths in pixels, and how many images were drawn, in a frame of this width."""
    content = html.escape(finished_report.read_text())
    probe = f"""<!DOCTYPE html><title>waiting</title>
<iframe id="frame" style="width:{width}px;height:900px;border:0" srcdoc="{content}"></iframe>
<script>
frame.onload = () => {{
  const page = frame.contentDocument;
  const images = [...page.images];
  const definitions = [...page.querySelectorAll(".facts dd")];
  document.title = `narrowest=${{Math.floor(Math.min(...definitions.map(dd => dd.clientWidth)))}} ` +
    `inner=${{page.documentElement.clientWidth}} scroll=${{page.documentElement.scrollWidth}} ` +
    `images=${{images.length}} drawn=${{images.filter(image => image.naturalWidth > 0).length}}`;
}};
</script>"""
    file = tmp_path / f"probe_{width}.html"
    file.write_text(probe)
    done = run_chromium(tmp_path, "--virtual-time-budget=5000", "--dump-dom", file.as_uri())
    title = re.search("<title>(.*?)</title>", done.stdout)
    assert title, done.stdout[:500]
    return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", title[1])}


@pytest.mark.parametrize("width", [1200, 400])
def test_nothing_sticks_out_on_a_wide_or_a_narrow_screen_and_every_image_is_drawn(
    finished_report: Path, width: int, tmp_path: Path
) -> None:
    found = measured(finished_report, width, tmp_path)
    assert 0 < found["inner"] <= width
    assert found["scroll"] <= found["inner"]
    assert found["drawn"] == found["images"] > 5


def test_nothing_is_fetched_and_nothing_complained_of(finished_report: Path, tmp_path: Path) -> None:
    addresses = re.findall(r'(?:src|href)="(?!#|data:)([^"]*)"', finished_report.read_text())
    assert addresses == []
    done = run_chromium(tmp_path, "--dump-dom", finished_report.as_uri())
    assert "CONSOLE" not in done.stderr


def test_a_definition_has_the_whole_width_of_a_phone(finished_report: Path, tmp_path: Path) -> None:
    found = measured(finished_report, 320, tmp_path)
    assert found["narrowest"] > 200


def test_a_patients_page_is_printed_alone(
    source: CrossValidation, project: NnunetProject, tmp_path: Path
) -> None:
    write_report(
        source, tmp_path / "report.html", NewPatients(project.root / "OUT"), 2, pdf_folder=tmp_path / "pdfs"
    )
    pdfs = sorted((tmp_path / "pdfs").iterdir())
    assert [pdf.suffix for pdf in pdfs] == [".pdf", ".pdf"]
    assert [len(re.findall(rb"/Type /Page\b", pdf.read_bytes())) for pdf in pdfs] == [1, 1]


def test_it_prints_on_a4(finished_report: Path, tmp_path: Path) -> None:
    pdf = tmp_path / "report.pdf"
    run_chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", finished_report.as_uri())
    sizes = {
        (round(float(w)), round(float(h)))
        for w, h in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf.read_bytes())
    }
    assert sizes == {(595, 842)}
