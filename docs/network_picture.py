"""The network in both of its stages, drawn from the sizes that a plan gives it."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from nnunetv2_adamss.display.charts import BLUE, GREEN, GREY, INK, ORANGE, VERMILION, Chart
from nnunetv2_adamss.networks.stages import Stages

# Where the columns are, and how large a box is, in units of the drawing.
_PET, _CT, _FUSION, _GATE, _ATTENTION, _DECODER, _HEADS = 0.0, 1.7, 3.4, 5.1, 6.8, 8.5, 11.2
_WIDTH, _HEIGHT, _ROW = 1.2, 0.62, 1.25
_LEFT, _RIGHT, _TOP = -0.7, 13.0, 1.2
_Place = tuple[float, float]


def draw_network(stages: Stages) -> Figure:
    """Draw encoder, gates, decoder and both heads; a row is a stage of the network, full resolution on top."""
    n_stages = len(stages)
    bottom = _y(n_stages - 1) - 0.75
    with Chart(10, 10 * (_TOP - bottom) / (_RIGHT - _LEFT)) as chart:
        axes = chart.axes()[0, 0]
        _titles(axes)
        for i in range(n_stages):
            _encoder_stage(axes, stages, i)
        for i in range(n_stages - 1):
            _decoder_stage(axes, stages, i)
        _heads(axes, n_stages)
        axes.set(xlim=(_LEFT, _RIGHT), ylim=(bottom, _TOP), aspect="equal")
        axes.axis("off")
        return chart.figure


def _titles(axes: Axes) -> None:
    titles = {
        _PET: "PET",
        _CT: "CT",
        _FUSION: "PET and CT",
        _GATE: "fusion\ngate",
        _ATTENTION: "attention\ngate",
        _DECODER: "decoder",
    }
    for x, title in titles.items():
        axes.text(x, 0.55, title, ha="center", va="bottom", color=INK, weight="bold")


def _encoder_stage(axes: Axes, stages: Stages, i: int) -> None:
    y = _y(i)
    for x, colour, channels in (
        (_PET, BLUE, stages.modality_channels[i]),
        (_CT, BLUE, stages.modality_channels[i]),
        (_FUSION, GREEN, stages.fusion_channels[i]),
    ):
        _box(axes, (x, y), f"{channels} channels", colour)
    _box(axes, (_GATE, y), "weighted sum", ORANGE)
    _arrow(axes, (_FUSION + _WIDTH / 2, y), (_GATE - _WIDTH / 2, y))
    for x, bend in ((_PET, 0.16), (_CT, 0.22)):
        _arrow(axes, (x + _WIDTH / 4, y - _HEIGHT / 2), (_GATE - _WIDTH / 3, y - _HEIGHT / 2), bend=bend)
    if i + 1 < len(stages):
        below = _y(i + 1) + _HEIGHT / 2
        for x in (_PET, _CT):
            _arrow(axes, (x - _WIDTH / 4, y - _HEIGHT / 2), (x - _WIDTH / 4, below))
        _arrow(axes, (_GATE, y - _HEIGHT / 2), (_FUSION + _WIDTH / 3, below))


def _decoder_stage(axes: Axes, stages: Stages, i: int) -> None:
    y = _y(i)
    _box(axes, (_ATTENTION, y), "x attention", ORANGE)
    _box(axes, (_DECODER, y), f"{stages.fusion_channels[i]} channels", VERMILION)
    _arrow(axes, (_GATE + _WIDTH / 2, y), (_ATTENTION - _WIDTH / 2, y))
    _arrow(axes, (_ATTENTION + _WIDTH / 2, y), (_DECODER - _WIDTH / 2, y))
    is_deepest = i == len(stages) - 2
    # The deepest fused features are the decoder's first input.
    start = (_GATE + _WIDTH / 2, _y(i + 1)) if is_deepest else (_DECODER, _y(i + 1) + _HEIGHT / 2)
    _arrow(axes, start, (_DECODER, y - _HEIGHT / 2))
    _arrow(axes, start, (_ATTENTION + _WIDTH / 4, y - _HEIGHT / 2), style="--")


def _heads(axes: Axes, n_stages: int) -> None:
    mask, survival = (_HEADS + 0.45, _y(0)), (_HEADS + 0.45, _y(max(1, n_stages - 2)) - 0.1)
    _box(axes, mask, "Stage I\ntumour mask", GREY, size=(2.5, 0.8))
    _box(axes, survival, "Stage II\nprobability of surviving\neach interval", GREY, size=(2.5, 1.1))
    covariates = (survival[0], survival[1] - 1.35)
    _box(
        axes, covariates, "covariates: clinical columns,\nradiomics, your own features", GREY, size=(2.5, 0.8)
    )
    _arrow(axes, (_DECODER + _WIDTH / 2, mask[1]), (mask[0] - 1.25, mask[1]))
    for i in range(n_stages - 1):
        _arrow(axes, (_DECODER + _WIDTH / 2, _y(i) - 0.12), (survival[0] - 1.25, survival[1]))
    _arrow(axes, (covariates[0], covariates[1] + 0.4), (survival[0], survival[1] - 0.55))


def _y(stage: int) -> float:
    return -_ROW * stage


def _box(
    axes: Axes, centre: _Place, text: str, colour: str, size: Sequence[float] = (_WIDTH, _HEIGHT)
) -> None:
    (x, y), (width, height) = centre, size
    axes.add_patch(
        Rectangle((x - width / 2, y - height / 2), width, height, facecolor=f"{colour}22", edgecolor=colour)
    )
    axes.text(x, y, text, ha="center", va="center", fontsize=7.5, color=INK)


def _arrow(axes: Axes, start: _Place, end: _Place, style: str = "-", bend: float = 0.0) -> None:
    properties = {
        "arrowstyle": "-|>",
        "linestyle": style,
        "color": GREY,
        "linewidth": 0.9,
        "shrinkA": 0,
        "shrinkB": 0,
        "connectionstyle": f"arc3,rad={bend}",
    }
    axes.annotate("", xy=end, xytext=start, arrowprops=properties)
