#!/usr/bin/env bash
# Writes requirements-dev.lock anew from pyproject.toml; `scripts/lock.sh --upgrade` takes the newest releases.
# Run it with the oldest supported Python: a pin that works there works on the later ones.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh dev
.venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
    || { echo "lock: .venv must be of Python 3.11 (rm -r .venv; PYTHON=python3.11 scripts/setup.sh)" >&2; exit 1; }
CUSTOM_COMPILE_COMMAND=scripts/lock.sh exec .venv/bin/pip-compile --quiet --extra dev --extra samples --strip-extras --no-annotate \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
    --output-file requirements-dev.lock pyproject.toml "$@"
