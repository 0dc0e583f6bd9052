# SPDX-License-Identifier: GPL-2.0-or-later
"""Device plug-ins on the real binary: what is loaded, and what is refused before the guest starts."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "guest" / "lib"))
import tap  # noqa: E402

SECONDS = 60.0

# The plug-in, and words of the one line that refuses it.
REFUSED = (
    ("throws", "a process that loads it died: Aborted; its last words: what():  not today"),
    ("crashes", "a process that loads it died: Segmentation fault"),
    ("exits", "a process that loads it ended with status 3"),
    ("undefined", "undefined symbol: "),
    ("exists", "the type 'edu' is there already: it is built in"),
    ("twice", "it has the type 'plugin-latch' twice"),
    ("object-throws", "'plugin-latch': its code throws an exception: no latch today"),
    ("other-build", "it was built against another Rhea (0.0.9-0123456789abcdef; this one is "),
    ("no-note", "it has no note that says what it was built against"),
    ("hangs", "it does not finish loading within 10 s"),
)


class Rhea:
    def __init__(self, program: Path, plugins: Path) -> None:
        self.program = program
        self.plugins = plugins

    def plugin(self, name: str) -> Path:
        return self.plugins / f"plugin-{name}.so"

    def run(self, *options: str, **more) -> subprocess.CompletedProcess:
        command = [str(self.program), "-accel", "qtest", "-display", "none", *options]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=SECONDS, check=False, **more)

    def expect_refused(self, path: Path | str, words: str) -> None:
        run = self.run("-device-plugin", str(path))
        tap.expect_equal(run.returncode, 1, "status")
        if run.stderr.count("\n") != 1 or words not in run.stderr or str(path) not in run.stderr:
            raise tap.Failure(f"expected one line with {str(path)!r} and {words!r}", run.stderr)
        if run.stderr.count(str(path)) != 1:
            raise tap.Failure("the file is named more than once", run.stderr)


def is_listed_with_origin(rhea: Rhea) -> None:
    plugin = rhea.plugin("good")
    run = rhea.run("-device-plugin", str(plugin), "-device", "help")
    tap.expect_equal(run.returncode, 0, "status")
    tap.expect(f'name "plugin-latch", bus ISA, desc "a latch", from {plugin}\n' in run.stdout, run.stdout)
    others = [line for line in run.stdout.splitlines() if " from " in line and "plugin-latch" not in line]
    tap.expect_equal(others, [], "built-in types with an origin")
    run = rhea.run("-device-plugin", str(plugin), "-device", "plugin-latch,help")
    tap.expect(f"plugin-latch options (from {plugin}):\n  mask=<uint8>" in run.stdout, run.stdout)


def works_as_a_device(rhea: Rhea) -> None:
    command = [str(rhea.program), "-accel", "qtest", "-display", "none", "-qtest", "stdio", "-qtest-log", "none",
               "-device-plugin", str(rhea.plugin("good")), "-device", "plugin-latch,mask=0x3f"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            process.stdin.write("outb 0x500 0xff\ninb 0x500\n")
            process.stdin.flush()
            tap.expect_equal(process.stdout.readline(), "OK\n", "the write")
            tap.expect_equal(int(process.stdout.readline().removeprefix("OK "), 0), 0x3f, "the latch")
        finally:
            process.kill()


def is_found_on_the_path(rhea: Rhea) -> None:
    environment = {**os.environ, "RHEA_DEVICE_PLUGIN_PATH": f"/nonexistent::{rhea.plugins}"}
    run = rhea.run("-device-plugin", "plugin-good.so", "-device", "plugin-latch,help", env=environment, cwd="/")
    tap.expect_equal(run.returncode, 0, "status")
    tap.expect(f"(from {rhea.plugins}/plugin-good.so)" in run.stdout, run.stdout)


def files_that_are_none(rhea: Rhea) -> None:
    with tempfile.TemporaryDirectory(prefix="rhea-plugins-") as name:
        folder = Path(name)
        os.mkfifo(folder / "fifo")
        (folder / "empty").write_bytes(b"")
        (folder / "garbage").write_bytes(bytes(range(256)) * 64)
        (folder / "program").write_bytes(rhea.program.read_bytes()[:64])
        rhea.expect_refused(folder / "missing", "No such file or directory")
        rhea.expect_refused(folder / "fifo", "it is a pipe")
        rhea.expect_refused(folder, "Is a directory")
        rhea.expect_refused("/dev/zero", "it is a character device")
        rhea.expect_refused(folder / "empty", "it is no shared object")
        rhea.expect_refused(folder / "garbage", "it is no shared object")
        rhea.expect_refused(folder / "program", "damaged shared object")


def is_cut_short_anywhere(rhea: Rhea) -> None:
    image = rhea.plugin("good").read_bytes()
    with tempfile.TemporaryDirectory(prefix="rhea-plugins-") as name:
        cut = Path(name) / "cut.so"
        for length in (63, 64, 500, 4096, len(image) // 2, len(image) - 1):
            cut.write_bytes(image[:length])
            rhea.expect_refused(cut, "shared object")


def is_garbled_anywhere(rhea: Rhea) -> None:
    """Whatever the bytes, the end is a list of devices or one line."""
    image = rhea.plugin("good").read_bytes()
    with tempfile.TemporaryDirectory(prefix="rhea-plugins-") as name:
        bad = Path(name) / "bad.so"
        for start in range(16, len(image), max(1, len(image) // 40)):
            garbled = bytearray(image)
            garbled[start:start + 48] = bytes((255 - byte) & 255 for byte in garbled[start:start + 48])
            bad.write_bytes(garbled)
            run = rhea.run("-device-plugin", str(bad), "-device", "help")
            tap.expect(run.returncode in (0, 1), f"at {start}: status {run.returncode} {run.stderr}")
            tap.expect_equal(run.stderr.count("\n"), run.returncode, f"lines at {start}: {run.stderr}")


def given_twice(rhea: Rhea) -> None:
    plugin = str(rhea.plugin("good"))
    run = rhea.run("-device-plugin", plugin, "-device-plugin", plugin, "-device", "plugin-latch,help")
    tap.expect_equal(run.returncode, 0, "status")
    other = str(rhea.plugin("second"))
    run = rhea.run("-device-plugin", plugin, "-device-plugin", other)
    tap.expect_equal(run.returncode, 1, "status")
    tap.expect_equal(run.stderr.count("\n"), 1, "lines")
    tap.expect(f"the type 'plugin-latch' is there already: it comes from {plugin}" in run.stderr, run.stderr)


def throws_as_a_device(rhea: Rhea) -> None:
    """What it throws before the guest starts is one line that names the device."""
    for name, device, words in (
            ("realize-throws", "plugin-latch", "its code throws an exception: no realize today"),
            ("save-throws", "plugin-latch,thrower=x",
             "Property 'plugin-latch.thrower': its code throws an exception: no property today")):
        run = rhea.run("-device-plugin", str(rhea.plugin(name)), "-device", device)
        tap.expect_equal((run.returncode, run.stderr.count("\n")), (1, 1), run.stderr)
        tap.expect(f"-device {device}" in run.stderr and words in run.stderr, run.stderr)


def conformance(rhea: Rhea, device_test: Path) -> None:
    run = subprocess.run([str(device_test), str(rhea.plugin("good")), "--gtest_brief=1"], capture_output=True,
                         text=True, timeout=SECONDS, check=False)
    tap.expect_equal(run.returncode, 0, run.stdout[-2000:] + run.stderr)
    tap.expect("PASSED" in run.stdout, run.stdout)
    listed = subprocess.run([str(device_test), str(rhea.plugin("good")), "--gtest_list_tests"],
                            capture_output=True, text=True, timeout=SECONDS, check=False).stdout
    tap.expect("plugin_latch" in listed and "edu" not in listed, listed)
    run = subprocess.run([str(device_test), str(rhea.plugin("exists"))], capture_output=True, text=True,
                         timeout=SECONDS, check=False)
    tap.expect_equal((run.returncode, run.stderr.count("\n")), (1, 1), run.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=Path, required=True)
    parser.add_argument("--plugins", type=Path, required=True)
    parser.add_argument("--device-test", type=Path, required=True)
    options = parser.parse_args()
    rhea = Rhea(options.rhea.resolve(), options.plugins.resolve())
    cases = [
        ("a plug-in's types are listed with their file", lambda: is_listed_with_origin(rhea)),
        ("a plug-in's device works", lambda: works_as_a_device(rhea)),
        ("a plug-in is found on the search path", lambda: is_found_on_the_path(rhea)),
        ("files that are no plug-ins", lambda: files_that_are_none(rhea)),
        ("a plug-in that is cut short", lambda: is_cut_short_anywhere(rhea)),
        ("a plug-in that is garbled", lambda: is_garbled_anywhere(rhea)),
        ("a plug-in given twice, and one of the same types", lambda: given_twice(rhea)),
        ("a plug-in's device that throws", lambda: throws_as_a_device(rhea)),
        ("the conformance suite runs over a plug-in", lambda: conformance(rhea, options.device_test.resolve())),
    ]
    cases += [(f"refused: {name}", lambda name=name, words=words: rhea.expect_refused(rhea.plugin(name), words))
              for name, words in REFUSED]
    return tap.run(cases)


if __name__ == "__main__":
    sys.exit(main())
