# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps what the recipes have made: each recipe's files in a folder named after it."""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packages import Packages
from recipes import HERE, RECIPES

ROOT = HERE.parents[2]
STAMP = "made-by"


def default_folder() -> Path:
    return Path(os.environ.get("RHEA_GUEST_CACHE", ROOT / "build" / "guest-images")).resolve()


def version(name: str) -> str:
    """Changes with the recipe's text and inputs, so that what it has made is made again."""
    recipe = RECIPES[name]
    digest = hashlib.sha256(inspect.getsource(recipe.make).encode())
    for file in recipe.inputs:
        digest.update((HERE / file).read_bytes())
    return digest.hexdigest()


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Tests run side by side: one of them makes the files, the others wait."""
    with open(file, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Cache:
    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def is_fresh(self, name: str) -> bool:
        try:
            return (self.folder / name / STAMP).read_text() == version(name)
        except FileNotFoundError:
            return False

    def get(self, name: str) -> Path:
        """The folder with the recipe's files, made where they are missing or out of date."""
        target = self.folder / name
        if self.is_fresh(name):
            return target
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "lock"):
            if not self.is_fresh(name):
                self.make(name, target)
        return target

    def make(self, name: str, target: Path) -> None:
        half_done = self.folder / f"{name}.part"
        shutil.rmtree(half_done, ignore_errors=True)
        half_done.mkdir()
        try:
            RECIPES[name].make(Packages(self.folder / "packages"), half_done)
            (half_done / STAMP).write_text(version(name))
        except BaseException:
            shutil.rmtree(half_done, ignore_errors=True)
            raise
        shutil.rmtree(target, ignore_errors=True)
        half_done.rename(target)
