"""What the SBOM of a release must have: `check_sbom.py FILE VERSION`. What writes it checks its form."""

# ruff: noqa: INP001, T201  (a script, and no package)
from __future__ import annotations

import json
import sys
from pathlib import Path

path, version = sys.argv[1:]
bom = json.loads(Path(path).read_text("utf-8"))
root = bom["metadata"]["component"]
if (bom["bomFormat"], root["name"], root.get("version")) != (
    "CycloneDX",
    "cognito-credentials",
    version,
):
    sys.exit(f"the SBOM is not that of this version: {root}")
found = {component["name"]: component for component in bom["components"]}
if missing := {"botocore", "boto3", "filelock"} - found.keys():
    sys.exit(f"the SBOM lacks {missing}")
for name, component in found.items():
    if not component.get("purl") or not component.get("version") or not component.get("licenses"):
        sys.exit(f"the SBOM says too little of {name}: {component}")
print(f"SBOM: {', '.join(sorted(found))}")
