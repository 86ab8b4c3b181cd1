#!/usr/bin/env bash
# Run the image on one patient as the platform does, and check what it writes: test.sh [TAG] [OPTION ...]
#   OPTION  replaces the image's own, such as: --rfs_output days -f 0 -device cpu
#   INPUT   folder of the patient, with images/ct, images/pet and ehr.json; default a synthetic patient
#   MODEL   folder with model.zip and conversion_log.json, default model/ beside this script
#   DOCKER  program, such as podman; default docker
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tag=${1:-adamss-hecktor}
docker=${DOCKER:-docker}
model=$(cd "${MODEL:-$here/model}" && pwd)
work=$(mktemp -d)
clean() {
    # Only the container's user may remove what that user wrote.
    if [[ -d $work/output ]]; then
        "$docker" run --rm --network none --user 12345:12345 --volume "$work/output:/output" \
            --entrypoint find "$tag" /output -mindepth 1 -delete
    fi
    rm -rf "$work"
}
# The exit code is that of the check, also if something cannot be removed.
trap 'clean || true' EXIT

if [[ -z ${INPUT:-} ]]; then
    echo "Making a synthetic patient"
    "$docker" run --rm --network none --user "$(id -u):$(id -g)" --volume "$work:/work" \
        --entrypoint adamss_make_phantom_dataset "$tag" -o /work -n 2 --n_test 0 -np 1
    INPUT=$work/input
    mkdir -p "$INPUT/images/ct" "$INPUT/images/pet"
    cp "$work"/Dataset990_Phantom/imagesTr/*000_0000.nii.gz "$INPUT/images/ct"
    cp "$work"/Dataset990_Phantom/imagesTr/*000_0001.nii.gz "$INPUT/images/pet"
    echo '{"CenterID": 9, "Age": 62, "Gender": 1, "HPV Status": 1}' > "$INPUT/ehr.json"
fi
input=$(cd "$INPUT" && pwd)

# The user in the container is neither root nor the one who calls this script.
output=$work/output
mkdir -m 777 "$output"
chmod 755 "$work"
gpus=()
if command -v nvidia-smi > /dev/null; then gpus=(--gpus all); fi
"$docker" run --rm --network none --user 12345:12345 --read-only --tmpfs /tmp:mode=1777,exec --memory 16g \
    --cap-drop ALL --security-opt no-new-privileges "${gpus[@]}" \
    --volume "$input:/input:ro" --volume "$model:/opt/ml/model:ro" --volume "$output:/output" \
    "$tag" "${@:2}"

"$docker" run --rm --interactive --network none --volume "$input:/input:ro" --volume "$output:/output:ro" \
    --entrypoint python3 "$tag" - /input /output < "$here/check_output.py"
