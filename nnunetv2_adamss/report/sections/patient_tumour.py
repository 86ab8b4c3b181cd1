"""One patient's tumour beside those of the cohort: uptake, volume and number of lesions."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from nnunetv2_adamss.display.blocks import Picture, Table
from nnunetv2_adamss.display.charts import BLUE, GREY, Chart
from nnunetv2_adamss.display.words import NONE, count, percent, significant
from nnunetv2_adamss.metrics.volume_and_uptake import TumourMeasures
from nnunetv2_adamss.report.shown_patient import Background

# An empty mask has no uptake; its 0 is a score of risk, and no value to show or to compare with.
_NAMES: dict[str, Callable[[TumourMeasures], float | None]] = {
    "SUVmax": lambda tumour: tumour.suv_max if tumour.n_lesions else None,
    "SUVmean": lambda tumour: tumour.suv_mean if tumour.n_lesions else None,
    "MTV (ml)": lambda tumour: tumour.volume_ml,
    "TLG": lambda tumour: tumour.lesion_glycolysis,
    "Lesions": lambda tumour: tumour.n_lesions,
}
_MEANING = (
    "In the units of the raw image: SUV only if the PET is stored in SUV. MTV: volume of the mask; TLG: SUVmean times "
    "MTV; lesions: parts of the mask that do not touch."
)


def tumour_table(tumour: TumourMeasures, background: Background) -> Table:
    """Show the patient's measures, and their rank in the cohort, if there is one."""
    cohort = background.tumours
    rows = [
        [name, significant(value), *(_in_cohort(value, others) if cohort else [])]
        for name, value, others in _rows(tumour, cohort)
    ]
    header = ["Measure", "Patient", "Cohort: median (quartiles)", "Above"]
    notes = [_MEANING]
    if tumour.suv_max is None:
        notes.append("There is no uptake, since the names of the channels do not say which one is the PET.")
    if not cohort:
        return Table("Tumour", header[:2], rows, [*notes, background.why_no_tumours])
    if n_empty := sum(not one.n_lesions for one in cohort):
        notes.append(
            f"Of the cohort's {count(len(cohort), 'patient')} {n_empty} have an empty mask, so no SUV."
        )
    return Table("Tumour", header, rows, notes)


def tumour_chart(tumour: TumourMeasures, cohort: Sequence[TumourMeasures]) -> Picture:
    """Draw the patient's measures over range and quartiles of the cohort, each on its own scale."""
    rows = [row for row in _rows(tumour, cohort) if row[-1].size]
    with Chart(4.6, 0.36 * len(rows) + 0.1) as chart:
        axes = chart.axes()[0, 0]
        for place, (_, value, others) in enumerate(rows):
            highest = max(value, float(others.max())) or 1.0
            low, lower, median, upper, high = np.quantile(others, [0, 0.25, 0.5, 0.75, 1]) / highest
            axes.plot([low, high], [place, place], color=GREY, linewidth=1)
            axes.barh(place, upper - lower, left=lower, height=0.45, color=GREY, alpha=0.35)
            axes.plot([median, median], [place - 0.22, place + 0.22], color=GREY)
            axes.plot(value / highest, place, "o", color=BLUE, markersize=6)
            axes.annotate(significant(highest), (1.05, place), va="center", fontsize=8, color=GREY)
        axes.set(
            yticks=range(len(rows)), yticklabels=[name for name, *_ in rows], xticks=[], xlim=(-0.03, 1.2)
        )
        axes.invert_yaxis()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        return chart.picture(
            "; ".join(
                f"{name} {significant(value)}, cohort {significant(others.min())} to {significant(others.max())}"
                for name, value, others in rows
            )
            + ".",
            f"This patient (blue) in the cohort (grey) of {count(len(cohort), 'patient')}: range, quartiles and "
            "median. Each scale begins at 0 and ends at the number on the right. Above: share of the cohort with a "
            "lower value.",
        )


def _rows(
    tumour: TumourMeasures, cohort: Sequence[TumourMeasures]
) -> list[tuple[str, float, NDArray[np.float64]]]:
    """Return name, value and the cohort's values of each measure that the patient has."""
    found = []
    for name, measure in _NAMES.items():
        value = measure(tumour)
        if value is not None:
            others = [other for one in cohort if (other := measure(one)) is not None]
            found.append((name, value, np.array(others, dtype=np.float64)))
    return found


def _in_cohort(value: float, others: NDArray[np.float64]) -> list[str]:
    if not others.size:
        return [NONE, NONE]
    lower, median, upper = np.quantile(others, [0.25, 0.5, 0.75])
    return [
        f"{significant(median)} ({significant(lower)} to {significant(upper)})",
        percent(float((others < value).mean())),
    ]
