"""Checks of names in plans and ``dataset.json`` that nnU-Net turns into classes and functions, which it then calls.

Two kinds are looked up anywhere in Python, by ``pydoc.locate``, and would import and call whatever they name: the
network's class, and values of its arguments. All others are searched for in one folder of nnU-Net each, including
everything that its modules have imported.
"""

import pydoc
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import dynamic_network_architectures
import nnunetv2
import torch
from nnunetv2.utilities.find_class_by_name import recursive_find_python_class

from nnunetv2_adamss.common.json_object import read_object
from nnunetv2_adamss.common.messages import listed

_NETWORKS = "dynamic_network_architectures"
_LAYERS = "torch.nn"
# The folder of nnU-Net in which it searches, and whether every run needs the named object.
_OF_PLAN = {
    "image_reader_writer": ("imageio", True),
    "label_manager": ("utilities.label_handling", True),
}
_OF_CONFIGURATION = {
    "preprocessor_name": ("preprocessing", False),
    "normalization_schemes": ("preprocessing.normalization", False),
    "resampling_fn_data": ("preprocessing.resampling", True),
    "resampling_fn_seg": ("preprocessing.resampling", True),
    "resampling_fn_probabilities": ("preprocessing.resampling", True),
}
_OF_DATASET = {"overwrite_image_reader_writer": ("imageio", False)}


def check_model_folder(folder: Path) -> None:
    """Raise ValueError, naming the file, unless plan and data set beside a model can be opened by nnU-Net.

    Args:
        folder: nnU-Net's, of all folds, with ``plans.json`` and ``dataset.json``.
    """
    files = {name: folder / f"{name}.json" for name in ("plans", "dataset")}
    missing = [str(file) for file in files.values() if not file.is_file()]
    if missing:
        raise ValueError(f"The model is not complete; missing: {', '.join(missing)}.")
    check_names(read_object(files["plans"]), {}, files["plans"])
    check_names({"configurations": {}}, read_object(files["dataset"]), files["dataset"])


def check_names(plans: Mapping[str, Any], dataset_json: Mapping[str, Any], where: Path | str) -> None:
    """Raise ValueError if a name means anything that nnU-Net, its networks' library and ``torch.nn`` do not ship.

    Args:
        plans: content of a plans file.
        dataset_json: content of ``dataset.json``.
        where: their origin, for messages.
    """
    configurations = plans.get("configurations")
    if not isinstance(configurations, Mapping) or not all(
        isinstance(configuration, Mapping) for configuration in configurations.values()
    ):
        raise ValueError(f"{where} is damaged or no plan: there are no usable configurations.")
    faults = [*_searched(plans, _OF_PLAN), *_searched(dataset_json, _OF_DATASET)]
    for name, configuration in configurations.items():
        of_configuration = [*_searched(configuration, _OF_CONFIGURATION), *_located(configuration)]
        faults += [f"{fault} of {name}" for fault in of_configuration]
    if faults:
        raise ValueError(
            f"{where} names what nnU-Net does not ship, and nothing else is loaded: {listed(faults)}. Use a plan that "
            "nnU-Net wrote."
        )


def _searched(values: Mapping[str, Any], keys: Mapping[str, tuple[str, bool]]) -> Iterator[str]:
    """Yield names that nnU-Net searches for in one of its folders, and must not use."""
    for key, (folder, is_needed) in keys.items():
        given = values.get(key)
        # nnU-Net writes "None" for a reader that it should choose itself.
        for name in given if isinstance(given, list) else [given]:
            if name is not None and name != "None" and not _is_nnunets(name, folder, is_needed):
                yield f"'{name}' ({key})"


def _is_nnunets(name: object, folder: str, is_needed: bool) -> bool:
    if not isinstance(name, str):
        return False
    found = _find(name, folder)
    # nnU-Net calls only what it finds; some names are looked up by preprocessing alone.
    return not is_needed if found is None else _is_defined_in(found, f"nnunetv2.{folder}")


@cache
def _find(name: str, folder: str) -> object | None:
    path = Path(nnunetv2.__path__[0]).joinpath(*folder.split("."))
    found: object | None = recursive_find_python_class(str(path), name, f"nnunetv2.{folder}")
    return found


def _located(configuration: Mapping[str, Any]) -> Iterator[str]:
    """Yield names that nnU-Net looks up anywhere, and must not use; plans from before 2024 have none of them."""
    architecture = configuration.get("architecture")
    if not architecture:  # nnU-Net looks nothing up if it is empty
        return
    arguments = architecture.get("arch_kwargs") if isinstance(architecture, Mapping) else None
    keys = architecture.get("_kw_requires_import") if isinstance(architecture, Mapping) else None
    if not isinstance(arguments, Mapping) or not isinstance(keys, list | tuple):
        yield f"'{architecture}' (architecture)"
        return
    network = architecture.get("network_class_name")
    if not _is_network(network):
        yield f"'{network}' (network_class_name)"
    for key in keys:
        value = arguments.get(key) if isinstance(key, str) else key
        if value is not None and not _is_layer(value):
            yield f"'{value}' ({key})"


def _is_network(name: object) -> bool:
    if not isinstance(name, str) or not name.startswith(f"{_NETWORKS}."):
        return False
    # By its last part too, like nnU-Net: classes were moved between this library's modules.
    found = _locate(name) or _network_named(name.rpartition(".")[2])
    return _is_module_class(found, _NETWORKS)


@cache
def _network_named(class_name: str) -> object | None:
    folder = Path(dynamic_network_architectures.__path__[0]) / "architectures"
    found: object | None = recursive_find_python_class(str(folder), class_name, f"{_NETWORKS}.architectures")
    return found


def _is_layer(name: object) -> bool:
    if not isinstance(name, str):
        return False
    package = next((p for p in (_LAYERS, _NETWORKS) if name.startswith(f"{p}.")), None)
    return package is not None and _is_module_class(_locate(name), package)


def _locate(name: str) -> object | None:
    try:
        return pydoc.locate(name)
    except pydoc.ErrorDuringImport:  # such as of a module that needs a library that is not installed
        return None


def _is_module_class(found: object, package: str) -> bool:
    return isinstance(found, type) and issubclass(found, torch.nn.Module) and _is_defined_in(found, package)


def _is_defined_in(found: object, package: str) -> bool:
    module = getattr(found, "__module__", None)
    return callable(found) and isinstance(module, str) and f"{module}.".startswith(f"{package}.")
