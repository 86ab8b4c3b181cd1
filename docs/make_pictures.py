"""Make the pictures of the documentation: ``python docs/make_pictures.py DEMO_FOLDER``.

``adamss_demo -o DEMO_FOLDER`` comes before. The report's picture needs Chromium. All patients are synthetic.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from network_picture import draw_network
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from PIL import Image

from nnunetv2_adamss.datasets.phantom.phantom_cohort import draw_cohorts
from nnunetv2_adamss.datasets.phantom.phantom_config import PhantomCohortConfig
from nnunetv2_adamss.demo.demo_steps import CONFIGURATION, DemoFolders
from nnunetv2_adamss.display.charts import save_png
from nnunetv2_adamss.display.pdf import find_browser
from nnunetv2_adamss.evaluation.evaluate import EvaluationSettings
from nnunetv2_adamss.evaluation.evaluate_files import EvaluationInputs, evaluate_files
from nnunetv2_adamss.evaluation.figures import CALIBRATION, KAPLAN_MEIER
from nnunetv2_adamss.networks.stages import Stages
from nnunetv2_adamss.prediction.calibrate_model import calibrate_predictions
from nnunetv2_adamss.survival.nnunet_data.plan_stages import stages_of

PICTURES = Path(__file__).with_name("pictures")
# Enough for a wide screen; a picture that takes more than 150 kB slows the page down.
_MOST_PIXELS, _N_COLOURS = 1100, 160
_ONE_PATIENT = (
    "<style>section:not(#patients, #patient-1), #patients > :not(#patient-1), nav, footer { display: none !important }"
    "body { display: block !important }</style>"
)
# Higher than any page; what is empty below is cut off.
_WIDTH, _HEIGHT, _MARGIN = 1100, 3000, 20
_YEAR_DAYS = 365.25


def make_pictures(demo: DemoFolders, folder: Path) -> None:
    """Write every picture.

    Args:
        demo: a finished demo.
        folder: for what pictures are made of.
    """
    screenshot(demo.report, folder)
    attention = sorted((demo.survival_fold / "explanation" / "attention").glob("*.png"))
    save_small(attention[0], "attention")
    plan = PlansManager(str(demo.model / "plans.json"))
    picture_network(stages_of(plan.get_configuration(CONFIGURATION)), folder)
    picture_predictions(folder)


def screenshot(report: Path, folder: Path) -> None:
    """A new patient's page of a report, as a browser shows it."""
    browser = find_browser()
    page, file = folder / "report.html", folder / "report.png"
    page.write_text(report.read_text() + _ONE_PATIENT)
    subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         f"--window-size={_WIDTH},{_HEIGHT}",
         f"--user-data-dir={folder / 'browser'}", f"--screenshot={file}", page.as_uri()],
        capture_output=True, check=True,
    )  # fmt: skip
    with Image.open(file) as shot:
        colours = np.asarray(shot.convert("L"))
        last = int(np.flatnonzero((colours < colours.max()).any(axis=1))[-1])
        shot.crop((0, 0, _WIDTH, min(last + _MARGIN, _HEIGHT))).save(file)
    save_small(file, "report")


def picture_network(stages: Stages, folder: Path) -> None:
    """Draw the network of these sizes."""
    save_png(draw_network(stages), folder / "network.png")
    save_small(folder / "network.png", "network")


def picture_predictions(folder: Path) -> None:
    """Calibration and risk groups, of more patients than a demo has.

    A prediction is the true risk, exaggerated, so that there is something to calibrate.
    """
    config = PhantomCohortConfig(n_training=600, n_test=0)
    cohort = draw_cohorts(config)[0]
    risk = 1.7 * cohort.table["true_risk"] + 0.5
    predictions = cohort.table[["case_id"]].assign(
        risk_score=risk, risk_group=np.where(risk > risk.median(), "high", "low")
    )
    for year in (1, 2, 3, 4):
        hazard = (year * _YEAR_DAYS / config.weibull_scale_days) ** config.weibull_shape
        predictions[f"survival_at_{year * _YEAR_DAYS:g}"] = np.exp(-hazard * np.exp(risk))
    outcomes, predicted = folder / "survival.csv", folder / "predictions.csv"
    cohort.survival_table().to_csv(outcomes, index=False)
    predictions.to_csv(predicted, index=False)
    calibrate_predictions(predicted, outcomes, folder / "calibrated.json")
    save_small(folder / "calibrated.png", "survival_calibration")
    settings = EvaluationSettings(horizons=(2 * _YEAR_DAYS, 3 * _YEAR_DAYS))
    evaluate_files(EvaluationInputs([predicted], outcomes, {}), settings, folder)
    for picture in (CALIBRATION, KAPLAN_MEIER):
        save_small(folder / picture, Path(picture).stem)


def save_small(file: Path, name: str) -> None:
    """Save a picture among those of the documentation, with few pixels and colours."""
    with Image.open(file) as picture:
        picture.thumbnail((_MOST_PIXELS, 10 * _MOST_PIXELS))
        few_colours = picture.convert("RGB").quantize(_N_COLOURS, dither=Image.Dither.NONE)
        few_colours.save(PICTURES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path, metavar="DEMO_FOLDER", help="what adamss_demo -o has written")
    demo = DemoFolders(parser.parse_args().demo)
    with tempfile.TemporaryDirectory() as temporary:
        make_pictures(demo, Path(temporary))
