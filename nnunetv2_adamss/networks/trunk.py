"""The trunk that both training stages share: an encoder and the Ada-focus decoder (Sections 3.2 and 3.3)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from nnunetv2_adamss.networks.decoder import AdaFocusDecoder
from nnunetv2_adamss.networks.encoder import AdaFusionEncoder
from nnunetv2_adamss.networks.fusion_gate import FusionGate
from nnunetv2_adamss.networks.fusion_strategies import FusionStrategy
from nnunetv2_adamss.networks.stages import Stages


class Interpretation(NamedTuple):
    """Fusion weights and attention maps of a forward pass, high to low resolution.

    Attributes:
        w_fuse: weight of the fusion branch at each encoder stage, ``(b, channels, *space)`` in [0, 1]; its
            mean is Table IV. Empty for a strategy without gates.
        attention: attention map before each decoder block, ``(b, 1, *space)`` in [0, 1]; Fig. 3.
    """

    w_fuse: list[Tensor]
    attention: list[Tensor]


class AdaMSSTrunk(nn.Module):
    """Encoder and decoder; Stage I and Stage II put their heads on the decoder's features.

    Args:
        n_modalities: channels of the image, at least 2 (CT and PET).
        strides: pooling before each stage, per axis.
        kernel_sizes: of the convolutions of each stage, per axis.
        fusion: how the encoder fuses modalities; default as the paper proposes, data-driven.

    Raises:
        ValueError: for fewer than two modalities, or sizes that ``Stages`` refuses.
    """

    def __init__(
        self,
        n_modalities: int,
        strides: Sequence[Sequence[int]],
        kernel_sizes: Sequence[Sequence[int]],
        *,
        fusion: FusionStrategy = AdaFusionEncoder,
    ) -> None:
        super().__init__()
        check_n_modalities(n_modalities)
        self.stages = Stages(strides, kernel_sizes)
        self.encoder = fusion(n_modalities, self.stages)
        self.decoder = AdaFocusDecoder(self.stages, self.encoder.out_channels)

    @property
    def fusion_gates(self) -> list[FusionGate]:
        """The gates of the encoder, high to low resolution; none where its fusion strategy has none."""
        return [module for module in self.encoder.modules() if isinstance(module, FusionGate)]

    def encoder_features(self, image: Tensor) -> list[Tensor]:
        """The encoder's features of every stage, high to low resolution, for ``(b, n_modalities, *space)``.

        Raises:
            ValueError: if a side of the image is not a multiple of the product of strides.
        """
        self.stages.check_image_size(image.shape[2:])
        features: list[Tensor] = self.encoder(_in_fast_memory_format(image))
        return features

    def decoder_features(self, image: Tensor) -> list[Tensor]:
        """The output of every decoder block, high to low resolution; argument and error as for ``encoder_features``."""
        features: list[Tensor] = self.decoder(self.encoder_features(image))
        return features

    @contextmanager
    def interpreted(self) -> Iterator[Interpretation]:
        """Collect fusion weights and attention maps of the forward pass inside the context; otherwise none are kept."""
        with (
            _second_outputs(self.fusion_gates) as w_fuse,
            _second_outputs(self.decoder.attention_gates) as attention,
        ):
            seen = Interpretation(w_fuse, attention)
            yield seen
        # The decoder runs from coarse to fine.
        seen.attention.reverse()

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load weights as torch does, but refuse those of another network in one sentence.

        Raises:
            ValueError: if ``strict`` and the names or shapes of the weights are not this network's.
        """
        if strict:
            _check_same_weights(self.state_dict(), state_dict)
        return super().load_state_dict(state_dict, strict, assign)


def check_n_modalities(n_modalities: int) -> None:
    """Raise ValueError unless there are at least two channels to fuse."""
    if n_modalities < 2:
        raise ValueError(
            f"AdaMSS fuses modalities and needs at least 2 image channels (CT and PET), but the data set has "
            f"{n_modalities}. Add the other modality, or train one channel with nnUNetTrainer."
        )


@contextmanager
def _second_outputs(gates: Iterable[nn.Module]) -> Iterator[list[Tensor]]:
    """Collect the second output of each of these modules, in the order in which they run."""
    collected: list[Tensor] = []
    hooks = [
        gate.register_forward_hook(lambda module, inputs, outputs: collected.append(outputs[1]))
        for gate in gates
    ]
    try:
        yield collected
    finally:
        for hook in hooks:
            hook.remove()


def _in_fast_memory_format(image: Tensor) -> Tensor:
    # On CPU, channels-last saves a reordering at every convolution (measurements/network_step.py); every later
    # tensor follows the image's format. nnU-Net hands in contiguous tiles, so it has to happen here.
    if image.device.type != "cpu":
        return image
    channels_last = torch.channels_last_3d if image.ndim == 5 else torch.channels_last
    return image.contiguous(memory_format=channels_last)


def _check_same_weights(expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    missing = [name for name in expected if name not in found]
    unknown = [name for name in found if name not in expected]
    reshaped = [n for n in expected if n in found and expected[n].shape != found[n].shape]
    faults = [
        f"{len(names)} {what} (such as {names[0]})"
        for names, what in ((missing, "missing"), (unknown, "unknown"), (reshaped, "of another shape"))
        if names
    ]
    if faults:
        raise ValueError(
            f"These weights belong to another network or plan: of {len(expected)} tensors that AdaMSS expects, "
            f"there are {', '.join(faults)}. Use a checkpoint that was trained with this trainer, plans file "
            "and data set."
        )
