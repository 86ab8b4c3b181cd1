"""Limit the extraction to the features that a model uses: a few of a thousand."""

from collections.abc import Iterable
from dataclasses import replace

from radiomics import getFeatureClasses

from nnunetv2_adamss.radiomics.request import RadiomicsRequest


def only_needed(request: RadiomicsRequest, columns: Iterable[str]) -> RadiomicsRequest:
    """The request with no more classes, features and filters than these columns need; values stay the same.

    Each remaining feature is extracted from each remaining filter, so there may be more columns than requested.

    Args:
        request: of all features.
        columns: names as ``extract_case`` gives them, such as ``PET_wavelet-LLH_glcm_Contrast``.
    """
    parameters = request.settings.parameters
    words = [column.split("_") for column in columns]
    wanted: dict[str, set[str]] = {}
    for *_, feature_class, feature in (word for word in words if len(word) > 1):
        # Columns of other regions begin with a word and a dot: "shell.shape_Sphericity".
        wanted.setdefault(feature_class.rpartition(".")[2], set()).add(feature)
    classes = parameters.get("featureClass") or dict.fromkeys(getFeatureClasses())
    features = {name: sorted(wanted[name]) for name in classes if name in wanted}
    if not features:
        return request
    # pyradiomics names images after filters, in small letters; their first three distinguish most of them, and a filter
    # too many does no harm.
    images = {word[-3].lower()[:3] for word in words if len(word) > 2}
    filters = parameters.get("imageType") or {"Original": {}}
    used = {name: options for name, options in filters.items() if name.lower()[:3] in images}
    return replace(
        request,
        settings=replace(
            request.settings,
            # Features of shape depend on the mask alone; pyradiomics needs an image type all the same.
            parameters={**parameters, "featureClass": features, "imageType": used or {"Original": {}}},
        ),
    )
