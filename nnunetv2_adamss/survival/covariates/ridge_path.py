"""Ridge Cox models by skglm: minimise -log partial likelihood / n_cases + sum of ridge / 2 * weight^2.

The same problem as lifelines' for inputs of unit standard deviation, up to Breslow's handling of ties, but far faster:
many are solved to choose one.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

_TOLERANCE = 1e-6


def ridge_path(
    inputs: NDArray[np.float64],
    event: NDArray[np.bool_],
    time: NDArray[np.float64],
    ridges: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Compute the weights for each set of ridges.

    Args:
        inputs: ``(n_cases, n_inputs)``.
        event: ``(n_cases,)``, True = observed; at least one.
        time: ``(n_cases,)``.
        ridges: on each input, above 0; infinite for an input that is not used, ``(n_models, n_inputs)``.

    Returns:
        ``(n_models, n_inputs)``.
    """
    # Here, because it compiles for some ten seconds and only few processes need it.
    from skglm.datafits import Cox  # noqa: PLC0415
    from skglm.penalties import L2  # noqa: PLC0415
    from skglm.solvers import LBFGS  # noqa: PLC0415

    outcome = np.asfortranarray(np.column_stack([time, event]).astype(np.float64))
    solver = LBFGS(max_iter=500, tol=_TOLERANCE)
    path = []
    with warnings.catch_warnings():
        # The compiler's own warnings are of no use here.
        warnings.simplefilter("ignore")
        for ridge in ridges:
            # One ridge for all inputs, which are scaled to it.
            scale = 1 / np.sqrt(ridge)
            used = scale > 0
            weights = np.zeros(len(ridge))
            if used.any():
                design = np.asfortranarray(inputs[:, used] * scale[used])
                weights[used] = solver.solve(design, outcome, Cox(), L2(1.0))[0] * scale[used]
            path.append(weights)
    return np.stack(path)
