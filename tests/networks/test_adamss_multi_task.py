"""Multi-task AdaMSS: both heads on one trunk."""

import torch

from nnunetv2_adamss.networks.adamss import AdaMSS, AdaMSSMultiTask, AdaMSSSurvival

SMALL = {"strides": [[1] * 3, [2] * 3, [2] * 3], "kernel_sizes": [[3] * 3] * 3}


def test_it_says_what_the_two_stages_say_with_the_same_weights() -> None:
    torch.manual_seed(0)
    both = AdaMSSMultiTask(2, 4, 3, **SMALL).eval()
    segmentation, survival = AdaMSS(2, 1, **SMALL).eval(), AdaMSSSurvival(2, 4, 3, **SMALL).eval()
    weights = both.state_dict()
    segmentation.load_state_dict({k: v for k, v in weights.items() if not k.startswith("survival_head.")})
    survival.load_state_dict({k: v for k, v in weights.items() if not k.startswith("decoder.seg_layers.")})
    image, valid, covariates = torch.randn(2, 2, 8, 8, 8), torch.ones(2, 1, 8, 8, 8), torch.randn(2, 3)
    with torch.no_grad():
        output = both(image, valid, covariates)
        torch.testing.assert_close(output.segmentation, segmentation(image))
        torch.testing.assert_close(output.survival, survival(image, valid, covariates))


def test_both_losses_reach_the_shared_trunk() -> None:
    torch.manual_seed(0)
    network = AdaMSSMultiTask(2, 4, 0, **SMALL)
    output = network(torch.randn(2, 2, 8, 8, 8), torch.ones(2, 1, 8, 8, 8), torch.zeros(2, 0))
    first = network.encoder.fusion_branch[0].units[0].conv.weight
    for part in (output.survival, output.segmentation):
        (gradient,) = torch.autograd.grad(part.square().sum(), first, retain_graph=True)
        assert gradient.abs().sum() > 0
