"""Command-line options for the settings of ``SurvivalConfig`` that determine the tumour masks."""

MASK_FLAGS = {
    "seg_trainer": "-seg_tr", "seg_checkpoint": "-seg_chk", "mask_source": "--mask_source",
    "masks_dir": "--masks", "mirroring": "--disable_tta",
}  # fmt: skip
