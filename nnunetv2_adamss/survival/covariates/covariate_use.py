"""Choice of the covariates that a network gets."""

from typing import NamedTuple


class CovariateUse(NamedTuple):
    """Inputs of a network beside the image.

    Args:
        radiomics: features of the tumour.
        clinical: columns of the survival table.
    """

    radiomics: bool = True
    clinical: bool = True
