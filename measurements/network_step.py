"""Seconds and peak memory of a training step and of inference, AdaMSS beside nnU-Net's default network.

Both networks come from nnU-Net's plan for the patch. Layouts: "contiguous" is nnU-Net's input and PyTorch's default;
"channels-last" converts the patch, and on CUDA the weights; "compiled" is contiguous by torch.compile; "shipped" is the
package's choice on CPU, channels-last and, for inference, oneDNN by name. Every measurement is a separate process, the
variants take turns, and ratios are of medians of one run. CUDA runs under autocast and with scaled gradients, as in
nnU-Net. The first call, in which a network is compiled, is timed separately.

    python measurements/network_step.py --sizes 24x40x24 32 112 -o measurements/results/network_step_cpu.json
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

VARIANTS = {
    "cpu": (
        ("AdaMSS", "contiguous"),
        ("AdaMSS", "channels-last"),
        ("AdaMSS", "shipped"),
        ("nnU-Net", "contiguous"),
        ("nnU-Net", "channels-last"),
    ),
    # Compiled last: nothing else takes so long or fails so easily.
    "cuda": (
        ("AdaMSS", "contiguous"),
        ("nnU-Net", "contiguous"),
        ("AdaMSS", "channels-last"),
        ("nnU-Net", "channels-last"),
        ("AdaMSS", "compiled"),
        ("nnU-Net", "compiled"),
    ),
}
BATCH_SIZE = 2
# Calls before the measured ones. A GPU's libraries choose their algorithms and grow their memory in the first ones.
WARM_UP = {"cpu": 1, "cuda": 3}
# A training step; validation with the training's batch size; nnUNetv2_predict, with single tiles.
MODES = ("training_step", "validation", "prediction")
GRADIENT_NORM = 12  # nnU-Net's limit


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sizes", nargs="+", default=["32", "112"], help="sides of the patch: 32 or 24x40x24"
    )
    parser.add_argument("--rounds", type=int, default=3, help="processes for each variant")
    parser.add_argument("-device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES, help="(default: all)")
    parser.add_argument(
        "--variant", nargs=2, metavar=("NETWORK", "LAYOUT"), help="only this one, of the first of the sizes"
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    if args.variant:
        figures = measure(*args.variant, parse_size(args.sizes[0]), args.device, args.modes)
        args.output.write_text(json.dumps(figures))
        return
    results = {size: measure_in_turns(size, args.rounds, args.device, args.modes) for size in args.sizes}
    for size, by_variant in results.items():
        print_table(size, by_variant, args.modes)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(
        json.dumps(
            {"device": args.device, "machine": describe_machine(args.device), "results": results}, indent=1
        )
    )


def parse_size(text: str) -> tuple[int, ...]:
    sides = tuple(int(side) for side in text.split("x"))
    return sides if len(sides) > 1 else sides * 3


def measure_in_turns(
    size: str, rounds: int, device: str, modes: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return medians over processes; the variants take turns so that a slow minute affects all of them."""
    samples: dict[str, list[dict[str, float]]] = {" ".join(variant): [] for variant in VARIANTS[device]}
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "figures.json"
        for _ in range(rounds):
            for variant in VARIANTS[device]:
                which = ["--variant", *variant, "--sizes", size, "--modes", *modes, "-device", device]
                subprocess.run([sys.executable, __file__, *which, "-o", str(output)], check=True)
                samples[" ".join(variant)].append(json.loads(output.read_text()))
    return {
        variant: {key: median(sample[key] for sample in taken) for key in taken[0]}
        for variant, taken in samples.items()
    }


def measure(
    network_name: str, layout: str, size: tuple[int, ...], device_name: str, modes: Sequence[str]
) -> dict[str, float]:
    import torch

    device = torch.device(device_name)
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(0)
    network = build(network_name, layout, size).to(device)
    patch = torch.randn(BATCH_SIZE, 2, *size, device=device)
    if layout == "channels-last":
        patch = patch.contiguous(memory_format=torch.channels_last_3d)
        if device.type == "cuda":
            network = network.to(memory_format=torch.channels_last_3d)
    optimizer = torch.optim.Adam(network.parameters(), 1e-4)
    scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
    if layout == "compiled":
        # Compiling for a CPU takes minutes for the smallest network; there it is only traced, as a test.
        network = torch.compile(network, backend="inductor" if device.type == "cuda" else "aot_eager")

    def training_step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, enabled=device.type == "cuda"):
            outputs = network(patch)
        outputs = outputs if isinstance(outputs, list) else [outputs]  # nnU-Net's deep supervision
        loss = torch.stack([output.float().square().mean() for output in outputs]).sum()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
        scaler.step(optimizer)
        scaler.update()

    @torch.no_grad()
    def infer(batch: torch.Tensor) -> None:
        with torch.autocast(device.type, enabled=device.type == "cuda"):
            network(batch)

    # Memory on CPU is the peak so far, so the training step, which needs most, comes last.
    calls = {
        "prediction": lambda: infer(patch[:1]),
        "validation": lambda: infer(patch),
        "training_step": training_step,
    }
    figures: dict[str, float] = {}
    for mode in (mode for mode in calls if mode in modes):
        network.train(mode == "training_step")
        found = timed(calls[mode], device)
        figures |= {
            f"{mode}_{unit}": figure for unit, figure in zip(("s", "gib", "first_s"), found, strict=True)
        }
    return figures


def build(network_name: str, layout: str, size: tuple[int, ...]):
    from dynamic_network_architectures.architectures.unet import PlainConvUNet
    from nnunetv2.experiment_planning.experiment_planners.network_topology import get_pool_and_conv_props
    from torch import nn

    from nnunetv2_adamss.networks import adamss, convolution

    _, strides, kernel_sizes, _, _ = get_pool_and_conv_props([1.0] * len(size), size, 4, 999999)
    if layout != "shipped":
        adamss._in_fast_memory_format = lambda image: image
        convolution._onednn_runs = lambda x, weight: False
    if network_name == "AdaMSS":
        return adamss.AdaMSS(2, 2, strides, kernel_sizes)
    n_stages = len(strides)
    return PlainConvUNet(
        2, n_stages, [min(32 * 2**i, 320) for i in range(n_stages)], nn.Conv3d, kernel_sizes, strides,
        [2] * n_stages, 2, [2] * (n_stages - 1), conv_bias=True, norm_op=nn.InstanceNorm3d,
        norm_op_kwargs={"eps": 1e-5, "affine": True}, nonlin=nn.LeakyReLU, nonlin_kwargs={"inplace": True},
        deep_supervision=True,
    )  # fmt: skip


def timed(function, device, seconds: float = 3.0) -> tuple[float, float, float]:
    """Return median seconds of a call after a warm-up, peak GiB, and seconds of the first call.

    The memory is the process' peak so far on CPU, and the allocation of the measured calls on CUDA.
    """
    import torch

    def call() -> float:
        start = perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return perf_counter() - start

    first, *_ = [call() for _ in range(WARM_UP[device.type])]
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    taken = [call()]
    while sum(taken) < seconds and len(taken) < 50:
        taken.append(call())
    if device.type == "cuda":
        return median(taken), torch.cuda.max_memory_allocated() / 2**30, first
    return median(taken), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, first


def describe_machine(device: str) -> str:
    import torch

    if device == "cuda":
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    instructions = torch.backends.cpu.get_cpu_capability()
    return f"{torch.get_num_threads()} CPU threads ({instructions}), torch {torch.__version__}"


def print_table(size: str, by_variant: dict[str, dict[str, float]], modes: Sequence[str]) -> None:
    print(f"\nPatch {size}; training step and validation with batch {BATCH_SIZE}, prediction with batch 1")
    print(f"{'':24s}" + "".join(f"{mode + ' s':>18s} {'GiB':>5s}" for mode in modes))
    for variant, figures in by_variant.items():
        cells = (f"{figures[f'{mode}_s']:18.3f} {figures[f'{mode}_gib']:5.2f}" for mode in modes)
        print(f"{variant:24s}" + "".join(cells))
    contiguous, shipped = by_variant["AdaMSS contiguous"], by_variant.get("AdaMSS shipped")
    if shipped is None:
        return
    ratios = (f"{mode} {contiguous[f'{mode}_s'] / shipped[f'{mode}_s']:.2f}x" for mode in modes)
    print("AdaMSS, contiguous over shipped: " + ", ".join(ratios))


if __name__ == "__main__":
    main()
