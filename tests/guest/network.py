# SPDX-License-Identifier: GPL-2.0-or-later
"""What Linux does with its network card: an address, 100 MiB both ways, self-tests, a cable pulled out."""

from __future__ import annotations

from pathlib import Path

from steps import Run, Step, hear, never_heard, powers_off, say
from web_server import WebServer

MEBIBYTES = 100
SHELL = r"guest:/# "
TROUBLE = (r"Tx Unit Hang|Reset adapter|NETDEV WATCHDOG|EEPROM Checksum|Hardware Error|not detected|"
           r"[Bb]ad checksum|hw csum failure|failed to|BUG: |Oops|Call Trace|nobody cared")


def both_ways(run: Run) -> None:
    """The file comes from the host and goes back; both ends say the same of it."""
    server = WebServer(MEBIBYTES)
    address = f"http://10.0.2.2:{server.port}/"
    try:
        run.line.type(f"wget -q -O /tmp/data {address} && md5sum /tmp/data\n")
        hear(rf"(?m)^{server.digest}  /tmp/data")(run)
        run.line.type(f"wget -q -O - --post-file=/tmp/data {address}; rm /tmp/data\n")
        hear(rf"(?m)^the server has {server.digest}")(run)
    finally:
        server.shutdown()
        server.server_close()


def not_in_qemu(*steps: Step) -> Step:
    """What QEMU's card, beside which the guest is run, does not do."""
    def act(run: Run) -> None:
        if "qemu" not in Path(run.emulator.command[0]).name:
            for step in steps:
                step(run)
    return act


# The driver's own tests of registers, EEPROM, interrupts, loopback and link.
SELF_TEST = not_in_qemu(say("ethtool -t eth0 offline\n"), hear("The test result is (PASS|FAIL)"),
                        never_heard("result is FAIL"),
                        say("until grep 1 /sys/class/net/eth0/carrier; do sleep 0.1; done; echo it is back\n"),
                        hear("(?m)^it is back"))
# Segments were made, and sums checked, by the card.
STATISTICS = not_in_qemu(say("ethtool -S eth0\n"), hear(r"tx_tcp_seg_good: [1-9]"),
                         hear(r"rx_csum_offload_good: [1-9]\d{4}"))

# What 8139cp has the card count, and leaves to it.
TALLY = (say("ethtool -S eth0\n"), hear(r"rx_ok: [1-9]\d{4}"),
         say("ethtool -k eth0\n"), hear("tcp-segmentation-offload: on"))


def cable(card: str, up: bool) -> Step:
    return lambda run: run.emulator.qmp.execute("set_link", name=card, up=up)


def start(*drivers: str) -> tuple[Step, ...]:
    """What a driver needs comes before it."""
    modules = "".join(f"insmod /modules/{driver}.ko; " for driver in drivers)
    return (hear(SHELL), say(f"{modules}ifconfig eth0 up\n"),
            hear(r"eth0(: Link| NIC Link is Up|: link (up|becomes ready))"),
            say("udhcpc -n -q -i eth0 -s /etc/udhcpc\n"),
            hear(r"(?m)^bound eth0 to 10\.0\.2\.15, router 10\.0\.2\.2, names of 10\.0\.2\.3"),
            both_ways)


def pulled_out(card: str) -> tuple[Step, ...]:
    """The driver sees it, and afterwards all goes on."""
    return (cable(card, False), hear("eth0(:| NIC) [Ll]ink (is Down|down)"),
            cable(card, True), hear("eth0(:| NIC) [Ll]ink (is Up|up)"),
            say("ping -c 3 -A 10.0.2.2\n"), hear("3 packets received, 0% packet loss"))


END = (hear(SHELL), say("ifconfig eth0 down; exit\n"), never_heard(TROUBLE), powers_off)
