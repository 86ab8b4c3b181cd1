"""The convolution unit and the residual block that every branch is made of (Section 3.2)."""

from collections.abc import Sequence

from dynamic_network_architectures.building_blocks.helper import get_matching_batchnorm
from torch import Tensor, nn

from nnunetv2_adamss.networks.convolution import convolve, make_convolution


class ConvUnit(nn.Module):
    """Convolution (stride 1, same padding, with bias), batch normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Sequence[int]) -> None:
        super().__init__()
        self.conv = make_convolution(in_channels, out_channels, kernel_size)
        self.norm = get_matching_batchnorm(dimension=len(kernel_size))(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, in_channels, *space)`` to ``(b, out_channels, *space)``."""
        # In place is safe: batch normalisation keeps its input for the backward pass, not its output.
        return self.norm(convolve(x, self.conv.weight, self.conv.bias)).relu_()


class ResidualBlock(nn.Module):
    """``n_convs`` stacked convolution units with residual connections (Section 3.2, Fig. 2).

    The first unit changes the number of channels, so its shortcut is a unit with kernel size 1; the others
    add to their own input. There is no activation after a sum.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: Sequence[int], n_convs: int) -> None:
        super().__init__()
        self.shortcut = ConvUnit(in_channels, out_channels, [1] * len(kernel_size))
        self.units = nn.ModuleList(
            ConvUnit(in_channels if i == 0 else out_channels, out_channels, kernel_size)
            for i in range(n_convs)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(b, in_channels, *space)`` to ``(b, out_channels, *space)``."""
        residual = self.shortcut(x)
        for unit in self.units:
            x = residual + unit(x)
            residual = x
        return x
