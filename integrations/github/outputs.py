"""Prints the action's outputs, from the reports in a folder: `name=value` a line."""

import json
import sys
from pathlib import Path

folder = Path(sys.argv[1])
result = json.loads((folder / "results.json").read_text(encoding="utf-8"))
scores = [service["score"] for service in result["services"] if service["score"] is not None]
new = [v for v in result["verdicts"] if v["kind"] == "fail" and v["state"] == "new" and v["waiver"] is None]
for name, value in (
    ("status", result["gate"]["status"]),
    ("score", f"{min(scores):.1f}" if scores else ""),
    ("new", len(new)),
    ("report", folder),
    ("sarif", folder / "github.sarif"),
):
    sys.stdout.write(f"{name}={value}\n")
