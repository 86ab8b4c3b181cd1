"""AdaMSS in both of its stages (Fig. 2): one trunk, a segmentation head in Stage I, a survival head in Stage II."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nnunetv2_adamss.networks.convolution import convolve, make_convolution
from nnunetv2_adamss.networks.encoder import AdaFusionEncoder
from nnunetv2_adamss.networks.fusion_strategies import FusionStrategy
from nnunetv2_adamss.networks.risk_anchor import ANCHORS, RiskAnchor
from nnunetv2_adamss.networks.survival_head import SurvivalHead
from nnunetv2_adamss.networks.survival_network import DiscreteTimeNetwork, MultiTaskOutput
from nnunetv2_adamss.networks.trunk import AdaMSSTrunk, Interpretation


class AdaMSS(AdaMSSTrunk):
    """Stage I: PET/CT in, tumour logits out.

    Args:
        n_modalities: channels of the image, at least 2 (CT and PET).
        n_classes: output channels; nnU-Net's ``num_segmentation_heads``.
        strides: pooling before each stage, per axis.
        kernel_sizes: of the convolutions of each stage, per axis.
        fusion: how the encoder fuses modalities; default as the paper proposes, data-driven.

    Raises:
        ValueError: for fewer than two modalities, or sizes that ``Stages`` refuses.

    Examples:
        >>> import torch
        >>> import nnunetv2_adamss as adamss
        >>> strides, kernel_sizes = [[1, 1, 1], [2, 2, 2], [2, 2, 2]], [[3, 3, 3]] * 3
        >>> network = adamss.AdaMSS(2, 2, strides, kernel_sizes)
        >>> network(torch.rand(1, 2, 8, 8, 8)).shape  # CT and PET in, background and tumour out
        torch.Size([1, 2, 8, 8, 8])
    """

    def __init__(
        self,
        n_modalities: int,
        n_classes: int,
        strides: Sequence[Sequence[int]],
        kernel_sizes: Sequence[Sequence[int]],
        *,
        fusion: FusionStrategy = AdaFusionEncoder,
    ) -> None:
        super().__init__(n_modalities, strides, kernel_sizes, fusion=fusion)
        # The name is nnU-Net's: its -pretrained_weights lets only decoder.seg_layers differ, so that a network
        # trained on one set of labels can be fine-tuned on another.
        self.decoder.seg_layers = make_convolution(
            self.stages.fusion_channels[0], n_classes, [1] * self.stages.n_dimensions
        )

    def forward(self, image: Tensor) -> Tensor:
        """Segment ``(b, n_modalities, *space)``: logits ``(b, n_classes, *space)``, no nonlinearity.

        Raises:
            ValueError: if a side of the image is not a multiple of the product of strides.
        """
        stage_features = self.decoder_features(image)
        return convolve(stage_features[0], self.decoder.seg_layers.weight, self.decoder.seg_layers.bias)

    def segment_and_interpret(self, image: Tensor) -> tuple[Tensor, Interpretation]:
        """Segment as ``forward`` does, and return the fusion weights and attention maps too."""
        with self.interpreted() as seen:
            logits = self(image)
        return logits, seen


class AdaMSSSurvival(AdaMSSTrunk, DiscreteTimeNetwork):
    """Stage II: PET/CT and covariates in, conditional survival logits out.

    Args:
        n_modalities: channels of the image, at least 2 (CT and PET).
        n_intervals: time intervals; the paper's N is 10.
        n_covariates: radiomics features and clinical indicators of a patient; 0 for none.
        strides: pooling before each stage, per axis.
        kernel_sizes: of the convolutions of each stage, per axis.
        fusion: how the encoder fuses modalities; default as the paper proposes, data-driven.
        anchor: inputs of a Cox model that the network adds to: ``none``, the ``covariates``, or the ``image`` too.

    Raises:
        ValueError: for fewer than two modalities, sizes that ``Stages`` refuses, or an anchor of another name.

    Examples:
        >>> import torch
        >>> import nnunetv2_adamss as adamss
        >>> strides, kernel_sizes = [[1, 1, 1], [2, 2, 2], [2, 2, 2]], [[3, 3, 3]] * 3
        >>> network = adamss.AdaMSSSurvival(2, 10, 3, strides, kernel_sizes)
        >>> network.load_stage_one(adamss.AdaMSS(2, 2, strides, kernel_sizes).state_dict()) > 0
        True
        >>> image, valid, covariates = torch.rand(2, 2, 8, 8, 8), torch.ones(2, 1, 8, 8, 8), torch.rand(2, 3)
        >>> network(image, valid, covariates).shape  # 10 intervals of 2 patients
        torch.Size([2, 10])
    """

    def __init__(
        self,
        n_modalities: int,
        n_intervals: int,
        n_covariates: int,
        strides: Sequence[Sequence[int]],
        kernel_sizes: Sequence[Sequence[int]],
        *,
        fusion: FusionStrategy = AdaFusionEncoder,
        anchor: str = "none",
    ) -> None:
        super().__init__(n_modalities, strides, kernel_sizes, fusion=fusion)
        self.survival_head = SurvivalHead(self.stages, n_covariates, n_intervals)
        if anchor not in ANCHORS:
            raise ValueError(f"There is no anchor {anchor!r}, only {', '.join(ANCHORS)}.")
        channels = self.encoder.out_channels if anchor == "image" else []
        has_inputs = anchor != "none" and len(channels) + n_covariates > 0
        # None where it has no inputs; checkpoints of networks without an anchor stay as they were.
        self.anchor = RiskAnchor(self.stages, channels, n_covariates) if has_inputs else None

    def forward(self, image: Tensor, valid: Tensor, covariates: Tensor) -> Tensor:
        """Predict the logits of surviving each interval, given alive at its start.

        Args:
            image: ``(b, n_modalities, *space)``.
            valid: ``(b, 1, *space)``, 1 where the image is, 0 where it is padding.
            covariates: ``(b, n_covariates)``.

        Returns:
            Logits ``(b, n_intervals)``; their sigmoid is the paper's S_pred.

        Raises:
            ValueError: if a side of the image is not a multiple of the product of strides.
        """
        encoder_features = self.encoder_features(image)
        stage_features = self.decoder(encoder_features)
        return self._survival_logits(encoder_features, stage_features, valid, covariates)

    def _survival_logits(
        self, encoder_features: list[Tensor], stage_features: list[Tensor], valid: Tensor, covariates: Tensor
    ) -> Tensor:
        logits: Tensor = self.survival_head(stage_features, valid, covariates)
        return logits if self.anchor is None else logits - self.anchor(encoder_features, valid, covariates)

    def squared_weights(self) -> Tensor:
        """Sum of squares of both weight matrices of the survival head, a scalar (Section 3.3)."""
        return self.survival_head.squared_weights()

    def start_from(self, weights: Sequence[float], logits: Sequence[float]) -> None:
        """Set the anchor, and let the survival head add nothing yet: its output's weights are 0.

        Args:
            weights: log hazard ratios of the anchor's inputs, image features first.
            logits: of surviving each interval where the weighted sum is 0, ``(n_intervals,)``.
        """
        assert self.anchor is not None
        self.anchor.risk.weight.data.copy_(torch.tensor([list(weights)]))
        self.survival_head.output.bias.data.copy_(torch.tensor(list(logits)))
        nn.init.zeros_(self.survival_head.output.weight)

    @property
    def baseline(self) -> Tensor:
        """Biases of the intervals' logits, ``(n_intervals,)``, which all patients share."""
        return self.survival_head.output.bias.data

    def load_stage_one(self, weights: Mapping[str, Any]) -> int:
        """Take every tensor of encoder and decoder from a Stage-I network; only the survival head stays new.

        Returns:
            Number of tensors that were taken.

        Raises:
            ValueError: if a tensor is missing, unknown or of another shape.
        """
        own = {k: v for k, v in self.state_dict().items() if k.startswith(("survival_head.", "anchor."))}
        trunk = {k: v for k, v in weights.items() if not k.startswith("decoder.seg_layers.")}
        self.load_state_dict(trunk | own)
        return len(trunk)


class AdaMSSMultiTask(AdaMSSSurvival):
    """Both tasks at the same time, the strategy that the paper compares with (Table II): one trunk, both heads.

    Args:
        n_modalities: channels of the image, at least 2 (CT and PET).
        n_intervals: time intervals; the paper's N is 10.
        n_covariates: radiomics features and clinical indicators of a patient; 0 for none.
        strides: pooling before each stage, per axis.
        kernel_sizes: of the convolutions of each stage, per axis.
        anchor: inputs of a Cox model that the network adds to: ``none``, the ``covariates``, or the ``image`` too.

    Raises:
        ValueError: for fewer than two modalities, sizes that ``Stages`` refuses, or an anchor of another name.
    """

    def __init__(
        self,
        n_modalities: int,
        n_intervals: int,
        n_covariates: int,
        strides: Sequence[Sequence[int]],
        kernel_sizes: Sequence[Sequence[int]],
        *,
        anchor: str = "none",
    ) -> None:
        super().__init__(n_modalities, n_intervals, n_covariates, strides, kernel_sizes, anchor=anchor)
        self.decoder.seg_layers = make_convolution(
            self.stages.fusion_channels[0], 1, [1] * self.stages.n_dimensions
        )

    def forward(self, image: Tensor, valid: Tensor, covariates: Tensor) -> MultiTaskOutput:  # type: ignore[override]
        """Segment the tumour and predict the logits of surviving each interval; arguments as ``AdaMSSSurvival``."""
        encoder_features = self.encoder_features(image)
        stage_features = self.decoder(encoder_features)
        head = self.decoder.seg_layers
        return MultiTaskOutput(
            survival=self._survival_logits(encoder_features, stage_features, valid, covariates),
            segmentation=convolve(stage_features[0], head.weight, head.bias),
        )
