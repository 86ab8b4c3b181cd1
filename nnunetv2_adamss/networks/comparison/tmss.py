"""TMSS (Saeed et al. 2022): a transformer that segments and predicts survival."""

from collections.abc import Sequence
from math import ceil, prod

import torch
from monai.networks.blocks.transformerblock import TransformerBlock
from monai.networks.blocks.unetr_block import UnetrBasicBlock, UnetrPrUpBlock, UnetrUpBlock
from torch import Tensor, nn

from nnunetv2_adamss.networks.comparison.parts.mtlr_network import MTLRHead, MTLRNetwork
from nnunetv2_adamss.networks.comparison.parts.small_inputs import pad_to_at_least
from nnunetv2_adamss.networks.masked_mean import masked_mean, share_of_image
from nnunetv2_adamss.networks.survival_network import MultiTaskOutput, NetworkSizes

_PATCH = 16
_HIDDEN = (512, 128)
# UNETR's decoder halves the patch's side four times.
_DECODER_STEPS = 4
_FIRST_CHANNELS = 16


class TMSS(MTLRNetwork):
    """UNETR on image patches and the clinical indicators, and multi-task logistic regression on its tokens.

    The learned positions belong to one image size: smaller images are padded, larger ones refused.

    choice: the size is that of a training crop, rounded up to whole patches; tokens count by the share of image in
    them; without clinical indicators there is no token for them.

    Args:
        n_modalities: channels of the image.
        n_intervals: time intervals.
        n_covariates: numbers beside the image; 0 for none.
        image_size: voxels of the largest image, per axis.
        n_hidden: of a token.
        n_mlp: of the transformer's hidden layers.
        n_layers: of the transformer, a multiple of 4; after each quarter but the last a skip connection leaves.
        n_heads: of the attention.
    """

    def __init__(
        self,
        n_modalities: int,
        n_intervals: int,
        n_covariates: int,
        image_size: Sequence[int],
        *,
        n_hidden: int = 768,
        n_mlp: int = 3072,
        n_layers: int = 12,
        n_heads: int = 12,
    ) -> None:
        super().__init__()
        self.grid = [ceil(side / _PATCH) for side in image_size]
        self.skips_from = [n_layers * quarter // 4 for quarter in (1, 2, 3)]
        self.patches = nn.Conv3d(n_modalities, n_hidden, kernel_size=_PATCH, stride=_PATCH)
        self.clinical = nn.Linear(n_covariates, n_hidden) if n_covariates else None
        n_tokens = prod(self.grid) + bool(n_covariates)
        self.positions = nn.Parameter(nn.init.trunc_normal_(torch.empty(1, n_tokens, n_hidden), std=0.02))
        self.layers = nn.ModuleList(_transformer_layer(n_hidden, n_mlp, n_heads) for _ in range(n_layers))
        self.norm = nn.LayerNorm(n_hidden)
        self.decoder = UnetrDecoder(n_modalities, n_hidden)
        self.head = MTLRHead(n_hidden, _HIDDEN, n_intervals)

    def forward(self, image: Tensor, valid: Tensor, covariates: Tensor) -> MultiTaskOutput:
        """Predict outputs ``(b, n_intervals)`` and tumour logit; arguments as for every ``SurvivalNetwork``.

        Raises:
            ValueError: if the image is larger than what the network was built for.
        """
        size = [_PATCH * n for n in self.grid]
        if any(side > largest for side, largest in zip(image.shape[2:], size, strict=True)):
            raise ValueError(
                f"TMSS has learned positions in images of {size} voxels at most, but this one has "
                f"{list(image.shape[2:])}: use the setting pool 'crops'."
            )
        padded = pad_to_at_least(image, size)
        tokens, maps = self._encode(padded, covariates)
        weights = share_of_image(pad_to_at_least(valid, size), self.grid).flatten(1)  # b n_patches
        weights = nn.functional.pad(weights, (tokens.shape[1] - weights.shape[1], 0), value=1.0)
        logits = self.decoder(padded, maps)
        return MultiTaskOutput(
            survival=self.head(masked_mean(tokens.transpose(1, 2), weights[:, None])),
            segmentation=logits[(..., *(slice(side) for side in image.shape[2:]))],
        )

    def _encode(self, image: Tensor, covariates: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The last tokens, ``(b, n_tokens, n_hidden)``, and maps of those that the decoder takes, early to late."""
        tokens = self.patches(image).flatten(2).transpose(1, 2)  # b n_patches n_hidden
        if self.clinical is not None:
            tokens = torch.cat([self.clinical(covariates)[:, None], tokens], dim=1)
        tokens = tokens + self.positions
        maps = []
        for n_done, layer in enumerate(self.layers, start=1):
            tokens = layer(tokens)
            if n_done in self.skips_from:
                maps.append(self._as_map(tokens))
        tokens = self.norm(tokens)
        return tokens, [*maps, self._as_map(tokens)]

    def _as_map(self, tokens: Tensor) -> Tensor:
        """Tokens of the image as ``(b, n_hidden, *grid)``."""
        return tokens[:, -prod(self.grid) :].transpose(1, 2).unflatten(2, self.grid)


class UnetrDecoder(nn.Module):
    """UNETR's decoder (Hatamizadeh et al. 2022) with feature size 16 and instance normalisation.

    Args:
        n_modalities: channels of the image.
        n_hidden: channels of the transformer's maps.
    """

    def __init__(self, n_modalities: int, n_hidden: int) -> None:
        super().__init__()
        channels = [_FIRST_CHANNELS * 2**i for i in range(_DECODER_STEPS)]
        unetr = {"spatial_dims": 3, "kernel_size": 3, "norm_name": "instance", "res_block": True}
        self.image_skip = UnetrBasicBlock(
            in_channels=n_modalities, out_channels=channels[0], stride=1, **unetr
        )
        # The earlier the map, the finer it must become.
        self.map_skips = nn.ModuleList(
            UnetrPrUpBlock(
                in_channels=n_hidden,
                out_channels=out_channels,
                num_layer=_DECODER_STEPS - 1 - i,
                stride=1,
                upsample_kernel_size=2,
                conv_block=True,
                **unetr,
            )
            for i, out_channels in enumerate(channels[1:], start=1)
        )
        self.blocks = nn.ModuleList(
            UnetrUpBlock(in_channels=coarse, out_channels=fine, upsample_kernel_size=2, **unetr)
            for coarse, fine in zip([n_hidden, *channels[:0:-1]], channels[::-1], strict=True)
        )
        self.seg_layers = nn.Conv3d(channels[0], 1, kernel_size=1)

    def forward(self, image: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """Tumour logit of the image, from the transformer's maps, early to late."""
        *early, x = maps
        skips = [
            self.image_skip(image),
            *(skip(features) for skip, features in zip(self.map_skips, early, strict=True)),
        ]
        for block, skip in zip(self.blocks, reversed(skips), strict=True):
            x = block(x, skip)
        return self.seg_layers(x)


def _transformer_layer(n_hidden: int, n_mlp: int, n_heads: int) -> nn.Module:
    layer = TransformerBlock(n_hidden, n_mlp, n_heads)
    # For cross-attention, which is not used; unused parameters would stop a training on several GPUs.
    layer.norm_cross_attn = nn.Identity()
    return layer


def build(sizes: NetworkSizes) -> TMSS:
    """Build the network that checkpoints call ``tmss``."""
    return TMSS(sizes.n_modalities, sizes.n_intervals, sizes.n_covariates, sizes.crop_size)
