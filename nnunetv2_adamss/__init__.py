"""AdaMSS: survival prediction from PET/CT inside nnU-Net.

Each name is imported when it is first used, so ``import nnunetv2_adamss`` takes no time.

Examples:
    >>> import nnunetv2_adamss as adamss
    >>> adamss.harrell_c(risk_score=[3, 2, 1], event=[1, 1, 0], time=[10, 20, 30]).c_index
    1.0
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnunetv2_adamss.datasets.phantom.phantom_cohort import draw_cohorts
    from nnunetv2_adamss.datasets.phantom.phantom_config import PhantomCohortConfig
    from nnunetv2_adamss.datasets.phantom.writer import write_phantom_dataset
    from nnunetv2_adamss.metrics.auc import cumulative_dynamic_auc
    from nnunetv2_adamss.metrics.brier import brier_score, integrated_brier_score
    from nnunetv2_adamss.metrics.calibration_at_horizon import calibration
    from nnunetv2_adamss.metrics.concordance import bootstrap_harrell_c, harrell_c
    from nnunetv2_adamss.metrics.uno import uno_c
    from nnunetv2_adamss.networks.adamss import AdaMSS, AdaMSSSurvival
    from nnunetv2_adamss.prediction.predictor import SurvivalPredictor
    from nnunetv2_adamss.survival.cohort.survival_table import read_survival_table

    __version__: str

# Where each name is, below this package.
_MODULES = {
    "AdaMSS": "networks.adamss",
    "AdaMSSSurvival": "networks.adamss",
    "PhantomCohortConfig": "datasets.phantom.phantom_config",
    "SurvivalPredictor": "prediction.predictor",
    "bootstrap_harrell_c": "metrics.concordance",
    "brier_score": "metrics.brier",
    "calibration": "metrics.calibration_at_horizon",
    "cumulative_dynamic_auc": "metrics.auc",
    "draw_cohorts": "datasets.phantom.phantom_cohort",
    "harrell_c": "metrics.concordance",
    "integrated_brier_score": "metrics.brier",
    "read_survival_table": "survival.cohort.survival_table",
    "uno_c": "metrics.uno",
    "write_phantom_dataset": "datasets.phantom.writer",
}

# Written out, since type checkers do not read it from the table.
__all__ = [
    "AdaMSS",
    "AdaMSSSurvival",
    "PhantomCohortConfig",
    "SurvivalPredictor",
    "__version__",
    "bootstrap_harrell_c",
    "brier_score",
    "calibration",
    "cumulative_dynamic_auc",
    "draw_cohorts",
    "harrell_c",
    "integrated_brier_score",
    "read_survival_table",
    "uno_c",
    "write_phantom_dataset",
]

# Hidden from type checkers, to which any name would exist.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415  takes longer than all else here

            return version("nnunetv2-adamss")
        if name not in _MODULES:
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)

    def __dir__() -> list[str]:
        return [*__all__]
