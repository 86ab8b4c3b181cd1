"""Many cases: what is kept, what is done again, what is refused, and what a broken case costs."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from nnunetv2_adamss.radiomics import extract_case, extract_cases
from nnunetv2_adamss.radiomics.extract_cases import ExtractionReport, extract_features
from nnunetv2_adamss.radiomics.feature_table import provenance_file, unfinished_folder
from nnunetv2_adamss.radiomics.radiomics_settings import RadiomicsSettings
from nnunetv2_adamss.radiomics.request import RadiomicsCase, RadiomicsRequest
from tests.processes import wait_until
from tests.radiomics.phantoms import CHANNELS, ball, quick_request, write_case, write_dataset_json

SHAPE = (14, 14, 14)


@pytest.fixture
def cases(tmp_path: Path) -> list[RadiomicsCase]:
    return [write_case(tmp_path, f"case_{i}", ball(SHAPE, (7, 7, 7), 3 + 0.5 * i), seed=i) for i in range(4)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "out" / "features.csv"


def extract(
    cases: list[RadiomicsCase], table: Path, *, overwrite: bool = False, **extras
) -> ExtractionReport:
    return extract_features(cases, quick_request(**extras), table, num_processes=1, overwrite=overwrite)


def read(table: Path) -> pd.DataFrame:
    return pd.read_csv(table, index_col="case_id")


def test_one_row_a_case_one_column_a_feature_and_the_provenance_beside_it(
    cases: list[RadiomicsCase], table: Path
) -> None:
    seen: list[str] = []
    report = extract_features(
        cases[::-1],
        quick_request(),
        table,
        masks={"source": "test"},
        num_processes=1,
        on_case_done=seen.append,
    )
    rows = read(table)
    assert list(rows.index) == ["case_0", "case_1", "case_2", "case_3"]
    assert list(rows.columns) == [
        "shape_MeshVolume", "CT_original_firstorder_Mean", "CT_original_firstorder_Maximum",
        "CT_original_glcm_Contrast", "PET_original_firstorder_Mean", "PET_original_firstorder_Maximum",
        "PET_original_glcm_Contrast",
    ]  # fmt: skip
    assert rows["shape_MeshVolume"].is_monotonic_increasing
    assert sorted(seen) == list(rows.index)
    assert (report.n_features, report.n_extracted, report.n_kept, report.broken) == (7, 4, 0, {})
    provenance = json.loads(provenance_file(table).read_text())
    assert provenance["masks"] == {"source": "test"}
    assert provenance["request"]["settings"]["PET"]["setting"]["binWidth"] == 0.25
    assert provenance["settings_sha256"] == quick_request().settings.sha256()
    assert set(provenance["request"]["versions"]) >= {"SimpleITK", "PyWavelets"}
    assert not unfinished_folder(table).exists()


@pytest.mark.slow
def test_many_processes_write_what_one_writes(cases: list[RadiomicsCase], table: Path) -> None:
    extract(cases, table)
    other = table.with_name("other.csv")
    extract_features(cases, quick_request(), other, num_processes=2)
    assert other.read_bytes() == table.read_bytes()


def test_a_cluster_that_joblib_is_working_of_is_used(cases: list[RadiomicsCase], table: Path) -> None:
    # Ray's and others' backends, like this one of joblib's own, return all results at the end.
    with joblib.parallel_config("multiprocessing", n_jobs=1):
        assert extract_features(cases, quick_request(), table).n_extracted == 4
    with joblib.parallel_config("threading", n_jobs=2):
        assert extract_features(cases, quick_request(), table, overwrite=True).n_extracted == 4


def test_only_what_has_changed_is_extracted_again(
    cases: list[RadiomicsCase], table: Path, tmp_path: Path
) -> None:
    extract(cases, table)
    before = read(table)
    write_case(tmp_path, "case_2", ball(SHAPE, (7, 7, 7), 5.5), seed=9)
    report = extract(cases, table)
    assert (report.n_extracted, report.n_kept) == (1, 3)
    after = read(table)
    assert (before != after).any(axis=1).tolist() == [False, False, True, False]
    text = table.read_bytes()
    assert extract(cases, table).n_extracted == 0
    assert table.read_bytes() == text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("settings", "was extracted with other settings: shell_mm was None, and now is 2.0"),
        ("by hand", "has been changed by hand"),
        ("foreign", "no features.json that says what it is"),
    ],
)
def test_a_table_that_would_be_lost_is_only_replaced_when_asked_to(
    cases: list[RadiomicsCase], table: Path, change: str, sentence: str
) -> None:
    extract(cases, table)
    if change == "by hand":
        table.write_text(table.read_text() + "case_9,1,2,3,4,5,6,7\n")
    elif change == "foreign":
        provenance_file(table).unlink()
    before = table.read_bytes()
    extras = {"shell_mm": 2.0} if change == "settings" else {}
    with pytest.raises(ValueError, match=sentence) as caught:
        extract(cases, table, **extras)
    assert "--overwrite" in str(caught.value)
    assert table.read_bytes() == before
    assert extract(cases, table, overwrite=True, **extras).n_extracted == 4


def test_broken_cases_are_reported_and_do_not_stop_the_others(
    cases: list[RadiomicsCase], table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases[0].images[1].unlink()
    cases[1].mask.write_bytes(b"nothing")
    extract_case = extract_cases.extract_case

    def fails_oddly(case: RadiomicsCase, request: object):
        if case.case_id == "case_3":
            raise MemoryError("far too large")
        return extract_case(case, request)

    monkeypatch.setattr(extract_cases, "extract_case", fails_oddly)
    report = extract(cases, table)
    assert list(read(table).index) == ["case_2"]
    assert list(report.broken) == ["case_0", "case_1", "case_3"]
    assert "missing file(s): " in report.broken["case_0"]
    assert "cannot be read" in report.broken["case_1"]
    assert report.broken["case_3"] == "MemoryError: far too large"


def test_an_empty_mask_leaves_a_row_without_values_and_a_note(
    cases: list[RadiomicsCase], table: Path, tmp_path: Path
) -> None:
    write_case(tmp_path, "case_1", np.zeros(SHAPE, dtype=np.uint8))
    for n_kept in (0, 4):
        report = extract(cases, table)
        assert report.n_kept == n_kept
        assert report.notes == {"case_1": ("the mask is empty",)}
        assert read(table).isna().all(axis=1).tolist() == [False, True, False, False]


def test_no_case_with_features_is_an_error_that_says_why(table: Path, tmp_path: Path) -> None:
    case = write_case(tmp_path, "empty", np.zeros(SHAPE, dtype=np.uint8))
    with pytest.raises(ValueError, match="No case has features. empty: the mask is empty"):
        extract([case], table)
    with pytest.raises(ValueError, match="There are no cases"):
        extract([], table)
    with pytest.raises(ValueError, match=r"written as .csv, not features.xlsx"):
        extract([case], table.with_suffix(".xlsx"))
    assert not table.exists()


def test_cases_that_are_gone_are_said(
    cases: list[RadiomicsCase], table: Path, caplog: pytest.LogCaptureFixture
) -> None:
    extract(cases, table)
    extract(cases[1:], table)
    assert "1 case(s) of the former features.csv are gone: case_0" in caplog.text


def test_a_case_that_an_outdated_run_left_is_not_used(cases: list[RadiomicsCase], table: Path) -> None:
    extract(cases, table)
    expected = table.read_bytes()
    table.unlink()
    kept = {"request_sha256": "of another request", "inputs_sha256": "", "features": {}, "notes": []}
    unfinished_folder(table).mkdir()
    (unfinished_folder(table) / "case_0.json").write_text(json.dumps(kept))
    extract(cases, table)
    assert table.read_bytes() == expected


@pytest.mark.slow
def test_a_run_that_was_killed_continues_where_it_was(tmp_path: Path) -> None:
    for i in range(6):
        write_case(tmp_path, f"case_{i}", ball(SHAPE, (7, 7, 7), 3), seed=i)
    write_dataset_json(tmp_path)
    table, untouched = tmp_path / "features.csv", tmp_path / "untouched.csv"

    def command(output: Path) -> list[str]:
        folders = [
            "-i",
            str(tmp_path / "images"),
            "--masks",
            str(tmp_path / "masks"),
            "-o",
            str(output),
            "-np",
            "1",
        ]
        return [sys.executable, "-m", "nnunetv2_adamss.cli.extract_radiomics", *folders]

    running = subprocess.Popen(command(table), env=os.environ | {"OMP_NUM_THREADS": "1"})
    wait_until(lambda: len(list(unfinished_folder(table).glob("*.json"))) >= 2)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert not table.exists()
    n_done = len(list(unfinished_folder(table).glob("case_?.json")))
    assert 2 <= n_done < 6

    again = subprocess.run(command(table), capture_output=True, text=True, check=True)
    assert f"1456 features of 6 cases ({n_done} of them from before)" in again.stdout
    assert not unfinished_folder(table).exists()
    subprocess.run(command(untouched), capture_output=True, check=True)
    assert table.read_bytes() == untouched.read_bytes()


@pytest.mark.parametrize(
    "left",
    [
        "",
        '{"request_sha256": "',
        "null",
        "[]",
        "{}",
        "3",
        '"x"',
        "[" * 200_000,
        '{"features": 3}',
        "\x00\xff",
    ],
    ids=["empty", "half", "null", "list", "object", "number", "text", "brackets", "other", "bytes"],
)
def test_a_damaged_file_of_a_case_costs_that_case_alone(
    cases: list[RadiomicsCase], table: Path, left: str
) -> None:
    kept = {}
    for case in cases[:2]:
        file = unfinished_folder(table) / f"{case.case_id}.json"
        extract_cases._extract_and_keep(case, quick_request(), {}, file)
        kept[case.case_id] = file
    kept["case_0"].write_bytes(left.encode("latin-1"))
    report = extract(cases[:2], table)
    assert (report.n_extracted, report.n_kept, report.broken) == (1, 1, {})
    assert read(table).notna().all(axis=None)


@pytest.mark.parametrize("key", ["features", "inputs_sha256", "notes", "request_sha256"])
@pytest.mark.parametrize("value", [None, [1], {"a": "b"}, 3, "x", True])
def test_a_file_of_a_case_that_lacks_something_is_not_used(
    cases: list[RadiomicsCase], table: Path, key: str, value: object
) -> None:
    file = unfinished_folder(table) / "case_0.json"
    extract_cases._extract_and_keep(cases[0], quick_request(), {}, file)
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {key: value}))
    assert extract_cases._kept_row(file, content["inputs_sha256"], quick_request()) is None


@pytest.mark.parametrize("content", ["null", "[]", "{}", "3", '"x"', "{"])
def test_damaged_provenance_is_named_in_a_sentence(
    cases: list[RadiomicsCase], table: Path, content: str
) -> None:
    extract(cases[:1], table)
    provenance_file(table).write_text(content)
    with pytest.raises(ValueError, match=r"features\.json .*add --overwrite to replace it"):
        extract(cases[:1], table)
    assert extract(cases[:1], table, overwrite=True).n_extracted == 1


@pytest.mark.parametrize("key", ["cases", "masks", "request", "request_sha256", "table_sha256"])
@pytest.mark.parametrize("value", [None, [1], {"case_0": 3}, {"case_0": {"notes": []}}, 3])
def test_provenance_that_lacks_something_is_named_in_a_sentence(
    cases: list[RadiomicsCase], table: Path, key: str, value: object
) -> None:
    extract(cases[:1], table)
    content = json.loads(provenance_file(table).read_text())
    provenance_file(table).write_text(json.dumps(content | {key: value}))
    if key in ("masks", "request") and isinstance(value, dict):
        assert extract(cases[:1], table).n_kept == 1  # plain data that nothing here looks into
    else:
        with pytest.raises(ValueError, match=rf"features\.json is damaged.*{key.removesuffix('s')}"):
            extract(cases[:1], table)


def test_the_cases_in_progress_are_reported(cases: list[RadiomicsCase], table: Path) -> None:
    working: list[list[str]] = []
    extract_features(
        cases,
        quick_request(),
        table,
        num_processes=1,
        on_working=lambda case_ids: working.append(list(case_ids)),
    )
    assert working == [["case_0"], ["case_1"], ["case_2"], ["case_3"], []]


def test_a_large_case_is_announced_with_its_size(
    cases: list[RadiomicsCase], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(extract_case, "_LARGE_BOX", 100)
    extract_case.extract_case(cases[0], quick_request())
    assert caplog.messages == [
        "case_0 takes long: its tumour of 1 ml lies in a box of 10 x 10 x 15 mm, which has 0.0 million voxels of "
        "2 x 2 x 3 mm."
    ]


def test_more_voxels_than_the_memory_holds_are_a_sentence(tmp_path: Path) -> None:
    case = write_case(tmp_path, "large", ball(SHAPE, (7, 7, 7), 5))
    settings = RadiomicsSettings(
        {
            "setting": {"binWidth": 25, "resampledPixelSpacing": [0.01, 0.01, 0.01]},
            "featureClass": {"firstorder": ["Mean"]},
        }
    )
    with pytest.raises(
        ValueError, match=r"would have .*e\+10 voxels, but at most 4e\+09 fit into the memory"
    ):
        extract_case.extract_case(case, RadiomicsRequest(CHANNELS, settings))
