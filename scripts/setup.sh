#!/usr/bin/env bash
# Makes .venv with Assay (editable) and its locked dependencies; does nothing where that is done already.
# usage: scripts/setup.sh [run|dev]    run: what a scan needs; dev (the default): also what tests and checks need
set -euo pipefail
cd "$(dirname "$0")/.."
extra=${1:-dev}

say() { echo "setup: $*" >&2; }

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    say "Assay needs Python 3.11 or later; install it, or name one with PYTHON=/path/to/python"
    return 1
}

install_package() { # Debian and its children, as root; anywhere else it is the user's to do
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        say "installing $1"
        { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$1"; } \
            </dev/null >/dev/null
    else
        return 1
    fi
}

install_postgresql() { # the programs alone: no server that runs
    install_package postgresql-common \
        && sed -i -E 's/^#?(create_main_cluster) .*$/\1 = false/' /etc/postgresql-common/createcluster.conf \
        && install_package postgresql
}

has_postgresql() { command -v initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb'; }
has_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

stamp=.venv/installed-$extra
wanted=$(cat requirements-dev.lock pyproject.toml setup.py | cksum)

if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || ! .venv/bin/python -c '' 2>/dev/null; then
    python=$(find_python)
    "$python" -c 'import ensurepip' 2>/dev/null || install_package python3-venv \
        || { say "this Python can't make virtual environments: install python3-venv"; exit 1; }
    .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || "$python" -m venv --clear .venv
    say "installing Assay into .venv (this once)"
    target=. && [ "$extra" = dev ] && target='.[dev,samples]'
    .venv/bin/python -m pip install -qq --disable-pip-version-check \
        --constraint requirements-dev.lock --editable "$target"
    printf '%s' "$wanted" >"$stamp"
fi

if [ "$extra" = dev ]; then
    # mypy needs to see `assay` as a folder; an editable install only tells the interpreter.
    mkdir -p build/layers/assay
    for layer in scanner rules reports; do
        ln -sfn "../../../$layer" "build/layers/assay/$layer"
    done
    has_browser >/dev/null || install_package chromium \
        || say "no Chromium found: install it for the tests of the HTML report"
    has_postgresql >/dev/null || install_postgresql \
        || say "no PostgreSQL found: install its server for the tests of the history"
fi
