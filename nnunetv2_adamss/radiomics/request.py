"""Requests for features: the settings, and the files of a case."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nnunetv2_adamss.common.messages import listed
from nnunetv2_adamss.radiomics.radiomics_settings import RadiomicsSettings
from nnunetv2_adamss.survival.nnunet_data.dataset import channel_names
from nnunetv2_adamss.survival.nnunet_data.dataset_json import ignore_label_of

# Libraries that compute the features. The modules of pyradiomics come in distributions of two names.
_LIBRARIES = ("pyradiomics-bhklab", "pyradiomics", "SimpleITK", "PyWavelets")


@dataclass(frozen=True)
class RadiomicsCase:
    """The files of one patient.

    Args:
        case_id: nnU-Net's identifier.
        images: one a channel, in the channels' order, all on one grid.
        mask: labels on the same grid.
    """

    case_id: str
    images: tuple[Path, ...]
    mask: Path


@dataclass(frozen=True)
class Extras:
    """Features that are extracted beside the tumour's.

    Args:
        per_label: the features of every foreground label.
        per_lesion: number and distance of the lesions, the features of the largest, and their sum and spread over all
            lesions.
        shell_mm: the features of a shell of this thickness around the tumour; None for none.

    Raises:
        ValueError: if the thickness is not above 0.
    """

    per_label: bool = False
    per_lesion: bool = False
    shell_mm: float | None = None

    def __post_init__(self) -> None:
        if self.shell_mm is not None and not 0 < self.shell_mm < float("inf"):
            raise ValueError(f"The shell's thickness is {self.shell_mm:g} mm, but must be above 0.")


@dataclass(frozen=True)
class RadiomicsRequest:
    """The features to extract from every case.

    Args:
        channels: names of the images' channels, in their order; they begin the columns' names.
        settings: the features and how they are extracted.
        labels: values of every foreground label in the masks, by name; for features per label.
        ignore_label: the value that is neither tumour nor background, or None.
        extras: features that are extracted beside the tumour's.

    Raises:
        ValueError: if channels have no or the same name, or no bins.
    """

    channels: tuple[str, ...]
    settings: RadiomicsSettings
    labels: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    ignore_label: int | None = None
    extras: Extras = field(default_factory=Extras)

    def __post_init__(self) -> None:
        if not self.channels or len(set(self.channels)) < len(self.channels):
            raise ValueError(
                f"Channels need names, each another, but there are: {listed(self.channels) or 'none'}."
            )
        if self.extras.per_label and not self.labels:
            raise ValueError("Features per label need the labels' names, which dataset.json would hold.")
        self.settings.check_channels(self.channels)

    @classmethod
    def from_dataset_json(
        cls, dataset_json: Mapping[str, Any], settings: RadiomicsSettings, extras: Extras
    ) -> "RadiomicsRequest":
        """Request for the cases of an nnU-Net data set.

        Args:
            dataset_json: content of ``dataset.json``.
            settings: the features and how they are extracted.
            extras: features that are extracted beside the tumour's.

        Raises:
            ValueError: if channels have the same name or no bins, or it names no channels.
        """
        channels = channel_names(dataset_json)
        if not channels:
            raise ValueError("dataset.json has no channel_names.")
        labels = dict(dataset_json.get("labels", {}))
        for name in ("background", "ignore"):
            labels.pop(name, None)
        return cls(
            tuple(column_word(name) for name in channels),
            settings,
            {
                column_word(name): tuple(value) if isinstance(value, list | tuple) else (int(value),)
                for name, value in labels.items()
            },
            ignore_label_of(dataset_json),
            extras,
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RadiomicsRequest":
        """Request from the result of ``to_dict``; versions are those of the libraries that are installed now.

        Raises:
            ValueError: if something is missing or of another kind, as in a damaged file.
        """
        try:
            return cls._from_dict(values)
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError(
                f"The model's radiomics settings are damaged ({type(error).__name__}: {error})."
            ) from error

    @classmethod
    def _from_dict(cls, values: Mapping[str, Any]) -> "RadiomicsRequest":
        settings = values["settings"]
        first = settings[values["channels"][0]]
        # A section that a file leaves out is pyradiomics' default, and stays left out.
        shared = {key: first[key] for key in ("imageType", "featureClass") if key in first}
        return cls(
            tuple(values["channels"]),
            RadiomicsSettings(
                shared,
                {channel: own["setting"] for channel, own in settings.items()},
                "the model's radiomics settings",
            ),
            {name: tuple(label_values) for name, label_values in values["labels"].items()},
            values["ignore_label"],
            Extras(values["per_label"], values["per_lesion"], values["shell_mm"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Convert all that features depend on, beside images and masks, to plain data."""
        return {
            "channels": list(self.channels),
            "settings": {channel: self.settings.of_channel(channel) for channel in self.channels},
            "labels": {name: list(v) for name, v in self.labels.items()} if self.extras.per_label else {},
            "ignore_label": self.ignore_label,
            "per_label": self.extras.per_label,
            "per_lesion": self.extras.per_lesion,
            "shell_mm": self.extras.shell_mm,
            "versions": library_versions(),
        }

    def sha256(self) -> str:
        """Hash of all that features depend on beside images and masks."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()


def library_versions() -> dict[str, str]:
    """Versions of the libraries that compute the features, by distribution."""
    versions = {}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:  # one of pyradiomics' two
            continue
    return versions


def column_word(name: object) -> str:
    """A name for columns, without spaces, which formulas and other programs cannot read."""
    return "_".join(str(name).split())
