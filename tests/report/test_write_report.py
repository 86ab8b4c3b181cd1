"""The whole report: valid, accessible, complete, and there even where much is missing."""

import re
import shutil
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest

from nnunetv2_adamss.benchmark.collect import GENERAL_NOTES
from nnunetv2_adamss.benchmark.write_tables import write_tables
from nnunetv2_adamss.common.files import sha256_of
from nnunetv2_adamss.report.predicted_patients import NewPatients
from nnunetv2_adamss.report.write_report import write_report
from nnunetv2_adamss.trained_folds.cross_validation import CrossValidation
from nnunetv2_adamss.trained_folds.trained_fold import TrainedFold
from tests.benchmark.project import FakeBenchmark
from tests.benchmark.results import collect, write_method
from tests.finished_project import DATASET, SEG_TRAINER, model_folder
from tests.nnunet_project import NnunetProject


def parsed(file: Path) -> Element:
    html = file.read_text(encoding="utf-8")
    document: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return document


def check_accessible(document: Element) -> None:
    assert document.get("lang") == "en"
    assert [image for image in document.iter("img") if not (image.get("alt") or "").strip()] == []
    assert [cell for cell in document.iter("th") if cell.get("scope") not in ("row", "col")] == []
    assert [table for table in document.iter("table") if table.find("caption") is None] == []
    identifiers = [element.get("id") for element in document.iter() if element.get("id")]
    assert len(set(identifiers)) == len(identifiers)
    targets = {str(link.get("href")).removeprefix("#") for link in document.iter("a")}
    assert targets <= set(identifiers)
    labels = {element.get("aria-labelledby") for element in document.iter() if element.get("aria-labelledby")}
    assert labels <= set(identifiers)
    levels = [int(e.tag[1]) for e in document.iter() if re.fullmatch("h[1-6]", str(e.tag))]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for landmark in ("header", "nav", "main", "footer"):
        assert len(list(document.iter(landmark))) == 1


def sections_of(document: Element) -> list[str]:
    return [str(link.text) for link in next(document.iter("nav")).iter("a")]


def test_the_report_of_a_model_is_valid_accessible_and_complete(finished_report: Path) -> None:
    document = parsed(finished_report)
    check_accessible(document)
    assert sections_of(document) == [
        "The model at a glance", "Cohort", "Discrimination and calibration", "Segmentation", "Covariates",
        "What the network looked at", "Training", "Model and provenance", "TRIPOD+AI", "Patients",
    ]  # fmt: skip
    html = finished_report.read_text()
    assert "The data are synthetic" in html
    assert "could not be made" not in html
    assert "This part is missing" not in html


def test_new_patients_and_their_results_come_first(
    project: NnunetProject, source: CrossValidation, tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    new = NewPatients(project.root / "OUT", project.raw / DATASET / "survival.csv")
    write_report(source, file, new)
    document = parsed(file)
    check_accessible(document)
    assert sections_of(document)[1:3] == ["New patients", "Results in the new patients"]
    assert "Patients" not in sections_of(document)


@pytest.mark.parametrize("gone", ["raw", "preprocessed", "segmentation", "table", "predictions", "plans"])
def test_what_is_gone_is_said_and_the_rest_is_there(
    project: NnunetProject, source: CrossValidation, tmp_path: Path, gone: str
) -> None:
    """Nothing that can be missing stops the report, or makes it fail with an unforeseen error."""
    folders = {
        "raw": project.raw / DATASET,
        "preprocessed": project.preprocessed / DATASET,
        "segmentation": model_folder(project, SEG_TRAINER),
    }
    files = {
        "table": project.raw / DATASET / "survival.csv",
        "predictions": model_folder(project) / "fold_1" / "validation" / "survival_predictions.csv",
        "plans": model_folder(project) / "plans.json",
    }
    if gone in folders:
        shutil.rmtree(folders[gone])
    else:
        files[gone].unlink()
    file = tmp_path / "report.html"
    write_report(source, file, n_patients=int(gone == "raw"))
    check_accessible(parsed(file))
    html = file.read_text()
    assert "could not be made" not in html
    expected = {"segmentation": "has no Dice", "preprocessed": "TRIPOD+AI"}
    assert expected.get(gone, "This part is missing") in html


def test_outcomes_that_have_changed_since_the_training_are_named(
    project: NnunetProject, source: CrossValidation, tmp_path: Path
) -> None:
    name = "outcomes (survival.csv)"
    assert source.folds[1].summary["sources_sha256"][name] == sha256_of(
        project.raw / DATASET / "survival.csv"
    )
    file = tmp_path / "report.html"
    write_report(source, file, n_patients=0)
    assert "have changed since" not in file.read_text()
    source.folds[1].summary["sources_sha256"][name] = "of before"
    write_report(source, file, n_patients=0)
    assert "have changed since fold 1 was trained on them" in file.read_text()


def test_a_table_that_is_in_another_unit_now_is_refused(
    project: NnunetProject, source: CrossValidation
) -> None:
    (project.raw / DATASET / "survival.json").write_text('{"time_unit": "months"}')
    with pytest.raises(ValueError, match="has the time_unit months, but folds were trained on another"):
        _ = source.table


def test_without_a_page_there_is_no_pdf_and_the_reason_is_given(
    source: CrossValidation, tmp_path: Path
) -> None:
    file, folder = tmp_path / "report.html", tmp_path / "pdf"
    with pytest.raises(ValueError, match="No patient has a page in .*, so there is no PDF"):
        write_report(source, file, n_patients=0, pdf_folder=folder)
    assert file.is_file() and not folder.exists()


def test_a_part_that_fails_unforeseen_is_said_to(
    source: CrossValidation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("so it goes")

    monkeypatch.setattr(TrainedFold, "log", fail)
    file = tmp_path / "report.html"
    write_report(source, file, n_patients=0)
    assert file.read_text().count("This part could not be made (ZeroDivisionError: so it goes)") == 2


def test_a_benchmark_has_a_section_beside_the_results(
    source: CrossValidation, tmp_path: Path, fake_benchmark: FakeBenchmark
) -> None:
    write_method(fake_benchmark, "ICARE", 1, 2)
    collection = collect(fake_benchmark, "icare")
    write_tables(tmp_path, collection.tables(), GENERAL_NOTES, collection.provenance())
    file = tmp_path / "report.html"
    write_report(source, file, n_patients=0, benchmark=tmp_path)
    document = parsed(file)
    check_accessible(document)
    assert sections_of(document)[2:4] == ["Discrimination and calibration", "Comparison of methods"]
    html = file.read_text()
    assert (
        "Table I: AdaMSS and other methods" in html and "0.765; 0.689" not in html and "0.765; 0.688" in html
    )
    assert "The benchmark is of Dataset007_Forty, 3d_fullres, not of this model" in html
    write_report(source, file, n_patients=0, benchmark=tmp_path / "nowhere")
    assert "adamss_benchmark writes it" in file.read_text()
