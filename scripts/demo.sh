#!/usr/bin/env bash
# Installs Assay and scans the unsound FastAPI sample: a summary here, the whole report in report.html.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh run
exec .venv/bin/assay scan fixtures/backends/fastapi_unsound --report html=report.html "$@"
