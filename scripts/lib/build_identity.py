#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""build_identity.py VERSION INCLUDE OUTPUT DEPFILE: what Rhea and its plug-ins must have in common, as a header.

It is the version, and a digest of the public headers: who was compiled with others lays objects out otherwise.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path


def main() -> int:
    version, include, output, depfile = sys.argv[1:]
    root = Path(include)
    headers = sorted(root.glob("rhea/**/*.h"))
    digest = hashlib.sha256()
    for header in headers:
        text = header.read_bytes()
        digest.update(f"{header.relative_to(root)} {len(text)}\n".encode())
        digest.update(text)
    Path(output).write_text(
        "// SPDX-License-Identifier: GPL-2.0-or-later\n"
        "// What this build of Rhea and its plug-ins must have in common; made by the build.\n"
        "#pragma once\n\n"
        f'#define RHEA_BUILD_IDENTITY "{version}-{digest.hexdigest()[:16]}"\n', encoding="utf-8")
    # The folders stand for headers that come and go.
    folders = sorted({header.parent for header in headers})
    Path(depfile).write_text(f"{output}: {' '.join(map(str, [*headers, *folders]))}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
