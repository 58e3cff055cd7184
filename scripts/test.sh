#!/usr/bin/env bash
# Installs Assay for development and runs the tests; arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh dev
exec .venv/bin/python -m pytest -n 2 "$@"
