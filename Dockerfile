# The package on a base that you choose (docs/container.md):
#   docker build -t adamss .
#   docker build -t adamss --build-arg BASE=pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime .
# For a GPU take a base with PyTorch for it; a base without PyTorch gets the one for CPUs.
ARG BASE=python:3.12-slim-bookworm
FROM ${BASE} AS base

# The compiler is for radiomics, which come as source.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*

# torchvision, which nnU-Net needs, must be of the same build as PyTorch.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN python3 -c "import torch, torchvision" \
    || pip install --no-cache-dir --index-url "${TORCH_INDEX}" "torch>=2.4,!=2.9.*" torchvision

# Containers often run as a user without a home; what libraries cache goes where everyone may write.
ENV HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib TORCHINDUCTOR_CACHE_DIR=/tmp/torchinductor \
    nnUNet_raw=/data/nnUNet_raw nnUNet_preprocessed=/data/nnUNet_preprocessed nnUNet_results=/data/nnUNet_results
WORKDIR /opt/nnunetv2-adamss
COPY . .

# docker build --target dev: the tests can run.
FROM base AS dev
RUN pip install --no-cache-dir -e ".[dev]"
CMD ["pytest"]

FROM base AS adamss
RUN pip install --no-cache-dir .
WORKDIR /data
CMD ["adamss_demo"]
