# SPDX-License-Identifier: GPL-2.0-or-later
"""What libvirt 9.0 says to an emulator before it believes in it, and before it starts a guest; without libvirt."""

from __future__ import annotations

import argparse
import json
import os
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


class Client:
    """A QMP client that numbers its requests."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SECONDS)
        self.socket.connect(str(path))
        self.stream = self.socket.makefile("r")
        tap.expect("QMP" in json.loads(self.stream.readline()), "no greeting")
        self.events: list[str] = []
        self.number = 0
        self.ask("qmp_capabilities")

    def answer(self, command: str, **arguments) -> dict:
        self.number += 1
        request = {"execute": command, "id": f"libvirt-{self.number}"}
        if arguments:
            request["arguments"] = arguments
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            message = json.loads(self.stream.readline())
            if "event" not in message:
                tap.expect_equal(message["id"], request["id"], command)
                return message
            self.events.append(message["event"])

    def ask(self, command: str, **arguments):
        answer = self.answer(command, **arguments)
        tap.expect("return" in answer, f"{command}: {answer}")
        return answer["return"]


def wait_gone(pid: int) -> None:
    deadline = time.monotonic() + SECONDS
    while Path(f"/proc/{pid}/stat").exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def probe(rhea: Path, folder: Path) -> None:
    """The program's capabilities: a daemon on a machine without anything."""
    run = subprocess.run(
        [str(rhea), "-S", "-no-user-config", "-nodefaults", "-nographic", "-machine", "none,accel=tcg",
         "-qmp", f"unix:{folder}/q,server=on,wait=off", "-pidfile", f"{folder}/pid", "-daemonize"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False)
    tap.expect_equal(run.returncode, 0, run.stderr)
    pid = int((folder / "pid").read_text(encoding="ascii"))
    try:
        ask_everything(Client(folder / "q"))
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_gone(pid)


def ask_everything(qmp: Client) -> None:
    tap.expect_equal(qmp.ask("query-version")["qemu"]["major"], 7, "the version")
    tap.expect_equal(qmp.ask("query-target"), {"arch": "x86_64"}, "the target")
    commands = {entry["name"] for entry in qmp.ask("query-commands")}
    schema = qmp.ask("query-qmp-schema")
    described = {entry["name"] for entry in schema if entry["meta-type"] == "command"}
    tap.expect_equal(commands, described, "commands and their descriptions")
    device_add = next(entry for entry in schema if entry["name"] == "device_add")
    tap.expect("json-cli" in device_add["features"], "-device takes JSON, and nobody says so")
    qmp.ask("query-kvm")
    types = {entry["name"] for entry in qmp.ask("qom-list-types")}
    tap.expect({"max-x86_64-cpu", "tcg-accel", "VGA", "isa-serial", "ide-hd", "PIIX4_PM"} <= types, "types lack")
    for name in ("memory-backend-nope", "none-machine", "max-x86_64-cpu"):
        properties = {entry["name"] for entry in qmp.ask("qom-list-properties", typename=name)}
    tap.expect("unavailable-features" in properties, "the CPU's properties lack")
    tap.expect("vgamem_mb" in {entry["name"] for entry in qmp.ask("device-list-properties", typename="VGA")}, "VGA")
    unknown = qmp.answer("device-list-properties", typename="virtio-net-ccw")["error"]["class"]
    tap.expect_equal(unknown, "DeviceNotFound", "the error for an unknown device")
    machines = qmp.ask("query-machines")
    pc = next(machine for machine in machines if machine.get("alias") == "pc")
    tap.expect_equal((pc["name"], pc["default-cpu-type"], pc["default-ram-id"]),
                     ("pc-i440fx-7.2", "qemu64-x86_64-cpu", "pc.ram"), "the machine")
    models = {entry["name"] for entry in qmp.ask("query-cpu-definitions")}
    tap.expect({"qemu64", "kvm64", "Nehalem", "Haswell", "max", "host"} <= models, "CPU models lack")
    for expansion, properties in (("static", {}), ("static", {"migratable": False}), ("full", {"migratable": False})):
        model = qmp.ask("query-cpu-model-expansion", type=expansion, model={"name": "max", "props": properties})
        tap.expect(model["model"]["props"]["fpu"] is True, f"{expansion}: {model}")
    for command in ("query-tpm-models", "query-tpm-types", "query-command-line-options"):
        tap.expect(isinstance(qmp.ask(command), list), command)
    tap.expect("events" in {entry["capability"] for entry in qmp.ask("query-migrate-capabilities")}, "no events")
    for command in ("query-sev-capabilities", "query-sgx-capabilities"):
        tap.expect_equal(qmp.answer(command)["error"]["class"], "GenericError", command)


def start(rhea: Path, folder: Path) -> None:
    """A guest: the monitor's socket is handed over; every answer that a start needs."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "monitor"))
        listener.listen(1)
        command = [str(rhea), "-name", "guest=g,debug-threads=on", "-S", "-machine", "pc,usb=off,memory-backend=pc.ram",
                   "-accel", "tcg", "-cpu", "qemu64", "-m", "64",
                   "-object", '{"qom-type":"memory-backend-ram","id":"pc.ram","size":67108864}',
                   "-overcommit", "mem-lock=off", "-smp", "2,sockets=2,cores=1,threads=1",
                   "-uuid", "52480001-1111-4222-8333-000000000001", "-display", "none", "-no-user-config", "-nodefaults",
                   "-chardev", f"socket,id=charmonitor,fd={listener.fileno()},server=on,wait=off",
                   "-mon", "chardev=charmonitor,id=monitor,mode=control", "-rtc", "base=utc", "-no-shutdown",
                   "-boot", "strict=on", "-chardev", "pty,id=charserial0",
                   "-device", '{"driver":"isa-serial","chardev":"charserial0","id":"serial0","index":0}',
                   "-audiodev", '{"id":"audio1","driver":"none"}',
                   "-device", '{"driver":"VGA","id":"video0","vgamem_mb":16,"bus":"pci.0","addr":"0x2"}',
                   "-sandbox", "off", "-msg", "timestamp=on"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True, pass_fds=[listener.fileno()])
    try:
        bring_up(Client(folder / "monitor"))
        again = Client(folder / "monitor")  # libvirt comes back
        tap.expect_equal(again.ask("query-status")["status"], "running", "the guest after libvirt left")
    finally:
        process.terminate()
        said = process.communicate(timeout=SECONDS)[1]
    tap.expect_equal(process.returncode, 0, said)


def bring_up(qmp: Client) -> None:
    qmp.ask("query-migrate-capabilities")
    qmp.ask("migrate-set-capabilities", capabilities=[{"capability": "events", "state": True}])
    names = {entry["label"]: entry["filename"] for entry in qmp.ask("query-chardev")}
    tap.expect(names["charserial0"].startswith("pty:/dev/pts/"), f"{names}")
    qmp.ask("query-hotpluggable-cpus")
    cpus = qmp.ask("query-cpus-fast")
    tap.expect(len(cpus) == 2 and all(cpu["thread-id"] > 0 for cpu in cpus), f"{cpus}")
    path = cpus[0]["qom-path"]
    for entry in qmp.ask("qom-list", path=path):
        if entry["type"] == "bool":
            tap.expect(isinstance(qmp.ask("qom-get", path=path, property=entry["name"]), bool), entry["name"])
    tap.expect(isinstance(qmp.ask("qom-get", path=path, property="unavailable-features"), list), "no list")
    tap.expect_equal(qmp.ask("query-iothreads"), [], "I/O threads")
    qmp.ask("query-named-block-nodes", flat=True)
    peripherals = qmp.ask("qom-list", path="/machine/peripheral")
    tap.expect({"name": "video0", "type": "child<VGA>"} in peripherals, f"{peripherals}")
    tap.expect_equal(qmp.ask("qom-get", path="/machine/peripheral/video0", property="vgamem_mb"), 16, "video memory")
    qmp.ask("query-block")
    qmp.ask("cont")
    tap.expect("RESUME" in qmp.events, f"{qmp.events}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True, help="the emulator")
    rhea = parser.parse_args().rhea

    def case(test) -> None:
        with tempfile.TemporaryDirectory(prefix="rhea-guest-") as folder:
            test(rhea, Path(folder))
    return tap.run([(test.__name__, lambda test=test: case(test)) for test in (probe, start)])


if __name__ == "__main__":
    sys.exit(main())
