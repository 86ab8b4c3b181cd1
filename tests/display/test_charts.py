"""The one drawing of Kaplan-Meier curves, and charts as pictures and files."""

import base64
from pathlib import Path

import matplotlib
import numpy as np

from nnunetv2_adamss.display.blocks import Picture
from nnunetv2_adamss.display.charts import WIDTH, Chart, draw_kaplan_meier, save_png

TIME = np.array([1.0, 2, 3, 4, 10])
EVENT = np.array([True, False, True, True, False])


def texts_of(chart: Chart) -> list[str]:
    return [text.get_text() for text in chart.figure.axes[0].texts]


def test_curves_have_names_and_numbers_at_risk_and_groups_without_patients_are_left_out() -> None:
    with Chart(WIDTH, 3) as chart:
        axes = chart.axes()[0, 0]
        no_patients = ("high risk", EVENT[:0], TIME[:0])
        (curve,) = draw_kaplan_meier(axes, [("low risk", EVENT, TIME), no_patients], "days")
    assert curve.at(np.array([1.5]))[0] == 0.8
    assert texts_of(chart) == ["at risk", "low risk", "5", "4", "2", "1", "1", "1"]
    assert axes.get_legend().get_texts()[0].get_text() == "low risk (5 patients, 3 events)"
    assert axes.get_xlabel() == "time (days)"


def test_a_lone_group_needs_no_legend() -> None:
    with Chart(WIDTH, 3) as chart:
        axes = chart.axes()[0, 0]
        draw_kaplan_meier(axes, [("all patients", EVENT, TIME)], "days")
    assert axes.get_legend() is None


def test_a_chart_looks_the_same_whatever_style_the_process_has() -> None:
    def drawn() -> Picture:
        with Chart(WIDTH, 3) as chart:
            chart.axes()[0, 0].plot([0, 1])
            return chart.picture("seen", "read")

    before = drawn()
    with matplotlib.rc_context(
        {"font.size": 30, "axes.facecolor": "red", "axes.grid": True}
    ):  # as nnU-Net's plots
        assert drawn() == before


def test_a_chart_is_the_same_bytes_each_time_and_a_file_of_pixels(tmp_path: Path) -> None:
    with Chart(WIDTH, 3) as chart:
        chart.axes()[0, 0].plot([0, 1])
        pictures = [chart.picture("seen", "read") for _ in range(2)]
        photograph = chart.picture("seen", "read", ".png")
    assert pictures[0] == pictures[1]
    assert pictures[0].width == photograph.width == round(96 * WIDTH)
    kind, _, content = photograph.source.partition(",")
    assert kind == "data:image/png;base64"
    save_png(chart.figure, tmp_path / "chart.png")
    assert base64.b64decode(content)[:8] == (tmp_path / "chart.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
