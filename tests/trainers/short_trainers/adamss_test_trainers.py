"""A user's own trainer folder: Stage I in seconds, found through nnUNet_extTrainer like any other."""

from nnunetv2_adamss.trainers import AdaMSSSegTrainer


class AdaMSSSegTrainer_ThreeEpochs(AdaMSSSegTrainer):
    recipe = AdaMSSSegTrainer.recipe.with_schedule(n_epochs=3, n_iterations=2, n_val_iterations=1)
