"""The LASSO for Cox models by skglm: minimise -log partial likelihood / n_cases + penalty * sum |weight|.

The same problem as glmnet's and Coxnet's (Simon et al., Journal of Statistical Software 2011), Breslow ties.
"""

import logging
import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from nnunetv2_adamss.survival.covariates.breslow_likelihood import null_residuals

logger = logging.getLogger(__name__)

_N_PENALTIES = 50
# As in glmnet for more features than cases; below it, too many features for the events are chosen.
_SMALLEST_SHARE = 0.05
# Of the gradient; at zero weights its size is the largest penalty, about 0.1.
_TOLERANCE = 1e-7


def penalty_grid(
    inputs: NDArray[np.float64], event: NDArray[np.bool_], time: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Penalties from the smallest that chooses no feature down to a twentieth of it, ``(50,)``, in even ratios."""
    largest = np.abs(inputs.T @ null_residuals(event, time)).max() / len(time)
    # A hair above, so that rounding does not let the first feature in.
    return largest * (1 + 1e-9) * np.geomspace(1, _SMALLEST_SHARE, _N_PENALTIES)


def lasso_path(
    inputs: NDArray[np.float64],
    event: NDArray[np.bool_],
    time: NDArray[np.float64],
    penalties: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Compute the weights at each penalty, starting from the solution before.

    Args:
        inputs: ``(n_cases, n_features)``.
        event: ``(n_cases,)``, True = observed; at least one.
        time: ``(n_cases,)``.
        penalties: ``(n_penalties,)``, descending.

    Returns:
        ``(n_penalties, n_features)``, exact zeros for features that are not chosen.
    """
    # Here, because it compiles for some ten seconds and only few processes need it.
    from skglm.datafits import Cox  # noqa: PLC0415
    from skglm.penalties import L1  # noqa: PLC0415
    from skglm.solvers import ProxNewton  # noqa: PLC0415

    design = np.asfortranarray(inputs)
    outcome = np.asfortranarray(np.column_stack([time, event]).astype(np.float64))
    solver = ProxNewton(fit_intercept=False, tol=_TOLERANCE, max_iter=100)
    weights, log_hazard = np.zeros(design.shape[1]), np.zeros(len(design))
    path = []
    with warnings.catch_warnings(record=True) as caught:
        # The compiler's own warnings are of no use here.
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", ConvergenceWarning)
        for penalty in penalties:
            # The solver changes the arrays of the starting point.
            weights, _, _ = solver.solve(design, outcome, Cox(), L1(penalty), weights.copy(), log_hazard)
            log_hazard = design @ weights
            path.append(weights)
    if any(issubclass(warning.category, ConvergenceWarning) for warning in caught):
        logger.warning(
            "The LASSO did not converge at every penalty; features are chosen nearly, not exactly."
        )
    return np.stack(path)
