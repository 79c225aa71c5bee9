#!/bin/sh
# usage: scripts/lock.sh [--upgrade]
#
# Writes requirements/*.txt from the dependency groups of pyproject.toml: exact versions with hashes,
# for every platform and Python >= 3.11. The files contain no registry address. --upgrade raises versions.
. "$(dirname "$0")/lib/common.sh"

[ "${1:-}" = --help ] && { usage; exit 0; }
for group in suite cloud sam lambda; do
  (cd "$ROOT" && "$ROOT/.tools/uv/bin/uv" --quiet --no-config pip compile "$@" --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-header --group "$group" --output-file "requirements/$group.txt")
done
