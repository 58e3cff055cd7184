"""What the action has to know to write its comment.

`number EVENT` prints the pull request's number. `find COMMENT` reads GitHub's answers and prints the number and the
digest of the comment that has the same marker; nobody else's comment counts, whatever it says.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path


def number(event: Path) -> str:
    """Of the pull request that the event is about."""
    return str(json.loads(event.read_text(encoding="utf-8"))["pull_request"]["number"])


def find(comment: Path, answers: str) -> str:
    """Number and digest of our own comment, or nothing."""
    with comment.open(encoding="utf-8") as file:
        marker = file.readline().strip()
    for page in _pages(answers):
        for node in page["data"]["repository"]["pullRequest"]["comments"]["nodes"]:
            lines = node["body"].splitlines()
            if node["viewerDidAuthor"] and lines and lines[0].strip() == marker:
                return f"{node['databaseId']} {lines[1].strip() if len(lines) > 1 else ''}"
    return ""


def _pages(answers: str) -> Iterator[dict]:
    """`gh api --paginate` writes one document behind the other."""
    decoder = json.JSONDecoder()
    while answers := answers.lstrip():
        page, end = decoder.raw_decode(answers)
        yield page
        answers = answers[end:]


if __name__ == "__main__":
    task, path = sys.argv[1], Path(sys.argv[2])
    sys.stdout.write((number(path) if task == "number" else find(path, sys.stdin.read())) + "\n")
