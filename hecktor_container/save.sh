#!/usr/bin/env bash
# Pack image and model for the upload: save.sh [TAG]
#   MODEL   folder with model.zip and conversion_log.json, default model/ beside this script
#   DOCKER  program, such as podman; default docker
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tag=${1:-adamss-hecktor}
docker=${DOCKER:-docker}
model=${MODEL:-$here/model}

for name in model.zip conversion_log.json; do
    if [[ ! -f $model/$name ]]; then
        echo "There is no $model/$name; README.md says how to make it." >&2
        exit 2
    fi
done
tar -czf "$here/model.tar.gz" -C "$model" model.zip conversion_log.json
"$docker" save "$tag" | gzip > "$here/$tag.tar.gz"
echo "Upload $here/$tag.tar.gz as the algorithm's container image, and $here/model.tar.gz as its model."
