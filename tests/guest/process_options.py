# SPDX-License-Identifier: GPL-2.0-or-later
"""The options about the process itself, and how start-up ends: on the real binary, without a guest."""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))
import tap  # noqa: E402
from emulator import program  # noqa: E402

SECONDS = 60.0
BARE = ["-accel", "qtest", "-nodefaults", "-display", "none"]


class Run:
    """A folder, and the emulator run in it with few parts."""

    def __init__(self, rhea: Path) -> None:
        self.rhea = rhea
        self.temporary = tempfile.TemporaryDirectory(prefix="rhea-guest-")
        self.folder = Path(self.temporary.name)
        self.pids: list[int] = []

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_) -> None:
        for pid in self.pids:
            if running(pid):
                os.kill(pid, signal.SIGKILL)
        self.temporary.cleanup()

    def command(self, *options: str) -> list[str]:
        return [str(self.rhea), *BARE, *options]

    def finished(self, *options: str, **more) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(*options), cwd=self.folder, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=SECONDS, check=False, **more)

    def started(self, *options: str, **more) -> subprocess.Popen:
        process = subprocess.Popen(self.command(*options), cwd=self.folder, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
        self.pids.append(process.pid)
        return process

    def daemon(self, *options: str) -> int:
        """Starts one in the background, which must be ready then; gives its process id."""
        run = self.finished("-daemonize", "-pidfile", "pid", *options)
        tap.expect(run.returncode == 0, f"status {run.returncode}: {run.stderr}")
        pid = int((self.folder / "pid").read_text(encoding="ascii"))
        self.pids.append(pid)
        tap.expect(running(pid), "the process in the pid file does not run")
        return pid

    def ended(self, process: subprocess.Popen, number: int, within: float = 3.0) -> tuple[int, str]:
        """Sends a signal; gives the status and what was said."""
        before = time.monotonic()
        process.send_signal(number)
        try:
            _, said = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise tap.Failure(f"deaf to signal {number}") from None
        took = time.monotonic() - before
        tap.expect(took < within, f"took {took:.1f} s to end")
        return process.returncode, said


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_gone(pid: int) -> None:
    deadline = time.monotonic() + SECONDS
    while running(pid):
        tap.expect(time.monotonic() < deadline, f"process {pid} does not end")
        time.sleep(0.05)


def talk(path: Path, *requests: dict, fds: tuple[int, ...] = ()) -> list[dict]:
    """QMP: the answers to requests, the descriptors going with the first."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(SECONDS)
        client.connect(str(path))
        stream = client.makefile("r")
        json.loads(stream.readline())
        answers = []
        for number, request in enumerate([{"execute": "qmp_capabilities"}, *requests]):
            data = json.dumps(request).encode() + b"\n"
            socket.send_fds(client, [data], list(fds) if number == 1 else [])
            answer = json.loads(stream.readline())
            while "event" in answer:
                answer = json.loads(stream.readline())
            answers.append(answer)
        return answers[1:]


def daemon_is_ready(run: Run) -> None:
    pid = run.daemon("-qmp", f"unix:{run.folder}/q,server=on,wait=off")
    answer = talk(run.folder / "q", {"execute": "query-status"})[0]
    tap.expect("return" in answer, f"no answer: {answer}")
    tap.expect(os.readlink(f"/proc/{pid}/fd/0") == "/dev/null", "standard input is kept")
    tap.expect(os.readlink(f"/proc/{pid}/fd/2") == "/dev/null", "standard error is kept")
    tap.expect(os.readlink(f"/proc/{pid}/cwd") == "/", "the caller's folder is kept")
    tap.expect(os.getsid(pid) not in (os.getsid(0), pid), "it leads a session, or the caller's")
    os.kill(pid, signal.SIGTERM)
    wait_gone(pid)
    tap.expect(not (run.folder / "pid").exists(), "the pid file stays")


def daemon_reports_errors(run: Run) -> None:
    for options, word in ((("-hda", "/no/such"), "No such file"), (("-serial", "stdio"), "stdio"),
                          (("-nographic",), "-nographic"), (("-nope",), "-nope"),
                          (("-qmp", "unix:/no/such/q,server=on,wait=off"), "/no/such/q")):
        ended = run.finished("-daemonize", "-pidfile", "pid", *options)
        tap.expect_equal(ended.returncode, 1, f"status with {options}")
        tap.expect(word in ended.stderr, f"{options}: {ended.stderr!r} does not name {word}")
        tap.expect(not (run.folder / "pid").exists(), f"{options}: the pid file stays")
    shown = run.finished("-daemonize", "-device", "help")
    tap.expect(shown.returncode == 0 and "edu" in shown.stdout, "help does not work with -daemonize")


def pid_file_belongs_to_one(run: Run) -> None:
    run.daemon()
    second = run.finished("-pidfile", "pid")
    tap.expect(second.returncode == 1 and "another process has it" in second.stderr, second.stderr)


def signals_end_start_up(run: Run) -> None:
    os.mkfifo(run.folder / "fifo")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        process = run.started("-pidfile", "pid", "-fw_cfg", "opt/x,file=fifo", "-S")
        with open(run.folder / "fifo", "wb"):  # a writer that writes nothing
            time.sleep(0.5)
            status, said = run.ended(process, number, 1.5)
        tap.expect_equal(status, 1, "status")
        tap.expect(f"signal {number.value}" in said, said)
        tap.expect(not (run.folder / "pid").exists(), "the pid file stays")


def signal_ends_wait_for_peer(run: Run) -> None:
    process = run.started("-chardev", "socket,id=c,path=s,server=on,wait=on")
    time.sleep(0.5)
    run.ended(process, signal.SIGTERM)


def messages_have_time_and_name(run: Run) -> None:
    said = run.finished("-msg", "timestamp=on,guest-name=on", "-name", "alpha", "-device", "nope").stderr
    tap.expect(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z alpha rhea: -device nope: .*\n", said)
               is not None, said)


def sandbox_is_entered(run: Run) -> None:
    pid = run.daemon("-sandbox", "on,spawn=deny,elevateprivileges=deny,resourcecontrol=deny",
                     "-qmp", f"unix:{run.folder}/q,server=on,wait=off")
    for task in Path(f"/proc/{pid}/task").iterdir():
        tap.expect("Seccomp:\t2" in (task / "status").read_text(encoding="ascii"),
                   "a thread has no filter")
    answers = talk(run.folder / "q", {"execute": "cont"}, {"execute": "screendump", "arguments":
                   {"filename": str(run.folder / "p")}}, {"execute": "quit"})
    tap.expect("return" in answers[0] and "return" in answers[2], f"{answers}")
    wait_gone(pid)


def another_user_and_root(run: Run) -> None:
    if os.geteuid() != 0:
        raise tap.Skip("needs root")
    os.chmod(run.folder, 0o755)
    pid = run.daemon("-runas", "nobody", "-chroot", str(run.folder))
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    uids = re.search(r"^Uid:\s+(.*)$", status, re.M)
    tap.expect(uids is not None and "0" not in uids[1].split(), f"still root: {uids}")
    groups = re.search(r"^Groups:\s+(.*)$", status, re.M)
    tap.expect(groups is not None and "0" not in groups[1].split(), "root's groups are kept")
    tap.expect_equal(os.readlink(f"/proc/{pid}/root"), str(run.folder), "root folder")


def chroot_errors_are_told(run: Run) -> None:
    ended = run.finished("-chroot", "/no/such")
    tap.expect(ended.returncode == 1 and "-chroot /no/such" in ended.stderr, ended.stderr)
    ended = run.finished("-runas", "no-such-user")
    tap.expect(ended.returncode == 1 and "no-such-user" in ended.stderr, ended.stderr)


def options_come_from_a_file(run: Run) -> None:
    (run.folder / "conf").write_text('[device "e"]\n  driver = "edu"\n  addr = "7"\n'
                                     f'[chardev "c"]\n  backend = "socket"\n  path = "{run.folder}/q"\n'
                                     '  server = "on"\n  wait = "off"\n'
                                     '[mon "m"]\n  chardev = "c"\n  mode = "control"\n', encoding="ascii")
    process = run.started("-readconfig", "conf", "-set", "device.e.dma_mask=255")
    wait_for_file(run.folder / "q")
    answers = talk(run.folder / "q",
                   {"execute": "qom-get", "arguments": {"path": "/machine/peripheral/e", "property": "dma_mask"}},
                   {"execute": "quit"})
    tap.expect_equal(answers[0].get("return"), 255, "property of the device in the file")
    process.communicate(timeout=SECONDS)
    for text, word in (("[nope]\n", "no group 'nope'"), ("x = 1\n", "line 1"), ("[device]\nx = 1\n", "line 2"),
                       ("[spice]\n  port = \"1\"\n", "Rhea has not yet")):
        (run.folder / "bad").write_text(text, encoding="ascii")
        ended = run.finished("-readconfig", "bad")
        tap.expect(ended.returncode == 1 and word in ended.stderr and "bad" in ended.stderr, ended.stderr)
    ended = run.finished("-set", "device.e.dma_mask=1")
    tap.expect("no device" in ended.stderr and ended.returncode == 1, ended.stderr)


def wait_for_file(path: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not path.exists():
        tap.expect(time.monotonic() < deadline, f"no {path}")
        time.sleep(0.05)


def options_may_be_json(run: Run) -> None:
    process = run.started("-device", '{"driver":"edu","id":"e","dma_mask":255,"addr":"0x7"}',
                          "-object", '{"qom-type":"secret","id":"s","data":"x"}',
                          "-qmp", "unix:q,server=on,wait=off")
    wait_for_file(run.folder / "q")
    answers = talk(run.folder / "q",
                   {"execute": "qom-get", "arguments": {"path": "/machine/peripheral/e", "property": "dma_mask"}},
                   {"execute": "object-del", "arguments": {"id": "s"}},
                   {"execute": "object-add", "arguments": {"qom-type": "secret", "id": "s", "data": "y"}},
                   {"execute": "object-del", "arguments": {"id": "t"}},
                   {"execute": "quit"})
    tap.expect_equal(answers[0].get("return"), 255, "property given in JSON")
    tap.expect("return" in answers[1] and "return" in answers[2] and "error" in answers[3], f"{answers}")
    process.communicate(timeout=SECONDS)


def descriptors_are_files(run: Run) -> None:
    (run.folder / "image").write_bytes(b"\xeb\xfe" + bytes(1 << 20))
    with open(run.folder / "image", "r+b") as image, open(run.folder / "log", "wb") as log:
        process = run.started("-add-fd", f"fd={image.fileno()},set=2,opaque=disk",
                              "-add-fd", f"fd={log.fileno()},set=3",
                              "-drive", "if=none,id=d,format=raw,file=/dev/fdset/2",
                              "-D", "/dev/fdset/3", "-d", "guest_errors",
                              "-qmp", "unix:q,server=on,wait=off", pass_fds=(image.fileno(), log.fileno()))
    wait_for_file(run.folder / "q")
    with open(run.folder / "image", "rb") as image:
        answers = talk(run.folder / "q",
                       {"execute": "add-fd", "arguments": {"fdset-id": 7, "opaque": "mine"}},
                       {"execute": "query-fdsets"},
                       {"execute": "remove-fd", "arguments": {"fdset-id": 7}},
                       {"execute": "remove-fd", "arguments": {"fdset-id": 7}},
                       {"execute": "quit"}, fds=(image.fileno(),))
    tap.expect_equal(answers[0]["return"]["fdset-id"], 7, "add-fd's set")
    sets = {entry["fdset-id"]: entry["fds"] for entry in answers[1]["return"]}
    tap.expect_equal(sorted(sets), [2, 3, 7], "sets")
    tap.expect_equal(sets[2][0].get("opaque"), "disk", "remark")
    tap.expect("return" in answers[2] and "error" in answers[3], f"{answers}")
    process.communicate(timeout=SECONDS)
    for bad in ("fd=99,set=1", "fd=1,set=1", "fd=x,set=1", "set=1", "fd=5"):
        tap.expect_equal(run.finished("-add-fd", bad).returncode, 1, f"status of -add-fd {bad}")


def escape_key_is_chosen(run: Run) -> None:
    process = run.started("-echr", "0x14", "-serial", "mon:stdio", "-S")
    said, _ = process.communicate("\x01x\x14h\x14x", timeout=SECONDS)
    tap.expect("C-t x" in said and "terminated" in said, said)
    for wrong in ("300", "ab", ""):
        tap.expect_equal(run.finished("-echr", wrong).returncode, 1, f"status of -echr '{wrong}'")


def policies_are_kept(run: Run) -> None:
    process = run.started("-compat", "deprecated-input=reject", "-qmp", "unix:q,server=on,wait=off",
                          "-action", "panic=pause")
    wait_for_file(run.folder / "q")
    answers = talk(run.folder / "q",
                   {"execute": "eject", "arguments": {"device": "floppy0"}},
                   {"execute": "set-action", "arguments": {"reboot": "restart"}},
                   {"execute": "set-action", "arguments": {"reboot": "shutdown", "watchdog": "none"}},
                   {"execute": "system_reset"})
    tap.expect("Deprecated parameter device disabled by policy" in answers[0]["error"]["desc"], f"{answers[0]}")
    tap.expect("error" in answers[1] and "return" in answers[2], f"{answers}")
    process.communicate(timeout=SECONDS)
    tap.expect_equal(process.returncode, 0, "status after a reset that shuts down")
    for wrong in ("-compat deprecated-input=maybe", "-compat nope=1", "-action reboot=off", "-action reset=none"):
        tap.expect_equal(run.finished(*wrong.split()).returncode, 1, f"status of {wrong}")


def file_limit_is_an_error(run: Run) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    process = run.started("-d", "trace:*", "-D", "log", "-qmp", "unix:q,server=on,wait=off",
                          preexec_fn=limit)
    wait_for_file(run.folder / "q")
    answers = talk(run.folder / "q",
                   {"execute": "pmemsave", "arguments":
                    {"val": 0, "size": 100000, "filename": str(run.folder / "mem")}},
                   {"execute": "query-status"}, {"execute": "quit"})
    tap.expect("File too large" in answers[0].get("error", {}).get("desc", ""), f"{answers[0]}")
    tap.expect("return" in answers[1], f"{answers[1]}")
    process.communicate(timeout=SECONDS)
    tap.expect_equal(process.returncode, 0, "status")


def short_address_space_is_an_error(run: Run) -> None:
    for size in (64 << 20, 200 << 20, 400 << 20, 700 << 20, 1000 << 20, 1500 << 20, 3000 << 20):
        def limit(size: int = size) -> None:
            resource.setrlimit(resource.RLIMIT_AS, (size, size))
        ended = subprocess.run([str(run.rhea), "-accel", "tcg", "-m", "512", "-smp", "4", "-display", "none",
                                "-device", "isa-debug-exit", "-S", "-monitor", "stdio"], input="quit\n",
                               capture_output=True, text=True, timeout=SECONDS, check=False,
                               cwd=run.folder, preexec_fn=limit)
        tap.expect(ended.returncode in (0, 1, 127), f"{size >> 20} MB: status {ended.returncode}: {ended.stderr}")
        tap.expect("ssert" not in ended.stderr and "terminate" not in ended.stderr,
                   f"{size >> 20} MB: {ended.stderr}")


def version_is_read_by_tools(run: Run) -> None:
    said = subprocess.run([run.rhea, "--version"], capture_output=True, text=True, check=True).stdout
    tap.expect(re.match(r"QEMU emulator version 7\.2\.0 \(Rhea [0-9.]+\)\n", said) is not None, said)


def help_has_groups(run: Run) -> None:
    said = subprocess.run([run.rhea, "--help"], capture_output=True, text=True, check=True).stdout
    titles = re.findall(r"^([A-Z].*):$", said, re.M)
    tap.expect("Standard options" in titles and "Debug/Expert options" in titles, f"{titles}")
    tap.expect("Other options" not in titles, "an option is in no group")


CASES = (daemon_is_ready, daemon_reports_errors, pid_file_belongs_to_one, signals_end_start_up,
         signal_ends_wait_for_peer, messages_have_time_and_name, sandbox_is_entered, another_user_and_root,
         chroot_errors_are_told, options_come_from_a_file, options_may_be_json, descriptors_are_files,
         escape_key_is_chosen, policies_are_kept,
         file_limit_is_an_error, short_address_space_is_an_error, version_is_read_by_tools, help_has_groups)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True, help="the emulator")
    rhea = parser.parse_args().rhea

    def case(test) -> None:
        with Run(rhea) as run:
            test(run)
    return tap.run([(test.__name__.replace("_", " "), lambda test=test: case(test)) for test in CASES])


if __name__ == "__main__":
    sys.exit(main())
