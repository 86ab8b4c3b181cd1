"""Extract only what a model uses: a few features of a thousand."""

from collections.abc import Iterable
from dataclasses import replace

from radiomics import getFeatureClasses

from nnunetv2_adamss.radiomics.request import RadiomicsRequest


def only_needed(request: RadiomicsRequest, columns: Iterable[str]) -> RadiomicsRequest:
    """The request with no more classes, features and filters than these columns need; values stay the same.

    Every feature that is left is extracted of every filter that is left, so there may be more columns than asked for.

    Args:
        request: of all features.
        columns: names as ``extract_case`` gives them, such as ``PET_wavelet-LLH_glcm_Contrast``.
    """
    parameters = request.settings.parameters
    words = [column.split("_") for column in columns]
    wanted: dict[str, set[str]] = {}
    for *_, feature_class, feature in (word for word in words if len(word) > 1):
        # Beside the tumour, a first word and a dot stand before: "shell.shape_Sphericity".
        wanted.setdefault(feature_class.rpartition(".")[2], set()).add(feature)
    classes = parameters.get("featureClass") or dict.fromkeys(getFeatureClasses())
    features = {name: sorted(wanted[name]) for name in classes if name in wanted}
    if not features:
        return request
    # pyradiomics names images after filters, in small letters; their first three tell most of them apart, and a filter
    # too many does no harm.
    images = {word[-3].lower()[:3] for word in words if len(word) > 2}
    filters = parameters.get("imageType") or {"Original": {}}
    used = {name: options for name, options in filters.items() if name.lower()[:3] in images}
    return replace(
        request,
        settings=replace(
            request.settings,
            # Features of shape are those of the mask, whatever the filter; pyradiomics wants one all the same.
            parameters={**parameters, "featureClass": features, "imageType": used or {"Original": {}}},
        ),
    )
