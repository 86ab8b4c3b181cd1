#!/usr/bin/env bash
# Build the image: build.sh [TAG]
#   BASE    image with PyTorch, default that of the challenge's template
#   DOCKER  program, such as podman; default docker
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tag=${1:-adamss-hecktor}
docker=${DOCKER:-docker}
base=${BASE:-pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime}

"$docker" build --platform linux/amd64 -t "$tag-base" --build-arg BASE="$base" "$repository"
"$docker" build --platform linux/amd64 -t "$tag" --build-arg ADAMSS="$tag-base" - < "$repository/hecktor_container/Dockerfile"
