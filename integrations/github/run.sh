#!/usr/bin/env bash
# The steps of the GitHub Action (action.yml), which hands everything over in the environment:
#   run.sh install   an environment of its own with Assay in it
#   run.sh gate      one scan, all reports, the gate's exit code
#   run.sh comment   one comment on the pull request, written anew only when there is news
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv="$RUNNER_TEMP/assay-environment"
if [[ -d $venv/Scripts ]]; then bin="$venv/Scripts"; else bin="$venv/bin"; fi
reports="$RUNNER_TEMP/assay-reports/${ASSAY_NAME:-assay}"
export ASSAY_CACHE_DIR="$RUNNER_TEMP/assay-cache" PYTHONUTF8=1

install() {
    "${PYTHON:-python3}" -m venv "$venv"
    if [[ -d $venv/Scripts ]]; then bin="$venv/Scripts"; fi
    "$bin/python" -m pip install --quiet --disable-pip-version-check -- "${ASSAY_REQUIREMENT:-$here/../..}"
    local version
    version=$("$bin/assay" --version)
    echo "$version"
    {
        echo "version=${version##* }"
        echo "cache=$ASSAY_CACHE_DIR"
    } >> "$GITHUB_OUTPUT"
}

gate() {
    local args=() wanted=() code=0 token
    mkdir -p "$reports"
    # Words as a shell would split them, and nothing else that a shell would do.
    "$bin/python" "$here/words.py" "${ASSAY_ARGS:-}" > "$RUNNER_TEMP/assay-words"
    mapfile -d '' -t args < "$RUNNER_TEMP/assay-words"
    if [[ ${ASSAY_FAIL:-true} != true ]]; then wanted+=(--exit-zero); fi
    wanted+=(
        --report "json=$reports/results.json"
        --report "html=$reports/report.html"
        --report "markdown=$reports/comment.md"
        --report "summary=$reports/summary.md"
        --report "github=$reports/annotations.txt"
        --report "sarif-github=$reports/github.sarif"
    )
    # What is shown of the scanned tree must not be taken for a command of the runner.
    token=$("$bin/python" -c 'import secrets; print(secrets.token_hex(16))')
    echo "::stop-commands::$token"
    "$bin/assay" gate "${wanted[@]}" ${args[@]+"${args[@]}"} -- "${ASSAY_PATH:-.}" || code=$?
    echo "::$token::"
    if [[ -f $reports/results.json ]]; then
        cat "$reports/annotations.txt"
        cat "$reports/summary.md" >> "$GITHUB_STEP_SUMMARY"
        "$bin/python" "$here/outputs.py" "$reports" >> "$GITHUB_OUTPUT"
    else
        # A mistake in the configuration, say: the line above tells.
        echo "status=not-evaluated" >> "$GITHUB_OUTPUT"
        echo "Assay could not judge this change; the log of the step tells why." >> "$GITHUB_STEP_SUMMARY"
    fi
    return "$code"
}

comment() {
    local number found id digest
    number=$("$bin/python" "$here/comments.py" number "$GITHUB_EVENT_PATH")
    if ! found=$(gh api graphql --paginate -f owner="${GITHUB_REPOSITORY%%/*}" -f name="${GITHUB_REPOSITORY#*/}" \
        -F number="$number" -f query="$(cat "$here/comments.graphql")"); then
        not_posted
        return
    fi
    read -r id digest < <("$bin/python" "$here/comments.py" find "$reports/comment.md" <<< "$found") || true
    if [[ -n ${id:-} && ${digest:-} == "$(sed -n 2p "$reports/comment.md")" ]]; then
        echo "Nothing has changed since the comment was written."
    elif [[ -n ${id:-} ]]; then
        gh api --silent -X PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" -F body="@$reports/comment.md" || not_posted
    elif [[ ${ASSAY_STATUS:-} == passed && ${ASSAY_NEW:-0} == 0 ]]; then
        echo "There is nothing to tell."
    else
        gh api --silent -X POST "repos/$GITHUB_REPOSITORY/issues/$number/comments" -F body="@$reports/comment.md" || not_posted
    fi
}

not_posted() {
    echo "::notice title=Assay::The comment could not be written: the token lacks 'pull-requests: write', as it does for" \
        "pull requests from forks. The job's summary says the same."
}

case ${1:-} in
    install | gate | comment) "$1" ;;
    *)
        echo "usage: run.sh install | gate | comment" >&2
        exit 2
        ;;
esac
