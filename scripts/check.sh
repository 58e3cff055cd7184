#!/usr/bin/env bash
# Lint, format, types and layers. Each is run, whatever the others say; all must pass.
set -uo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh dev || exit

status=0
check() {
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        echo "$name: ok"
    else
        status=1
        printf '%s: FAILED (%s)\n%s\n' "$name" "$*" "$output"
    fi
}

check lint .venv/bin/ruff check --quiet
check format .venv/bin/ruff format --check
check types .venv/bin/mypy
check layers .venv/bin/lint-imports
exit "$status"
