# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads SeaBIOS's debug log."""

from __future__ import annotations

import re

TROUBLE = re.compile(r"\b(warning|error|fail(ed|ure)?|timeout|unable|invalid|could not|no space)\b",
                     re.IGNORECASE)

# One pattern for each part of the machine that the firmware looks for.
FINDS = (
    r"SeaBIOS \(version",
    r"Running on QEMU \(i440fx\)",
    r"Found QEMU fw_cfg",
    r"QEMU fw_cfg DMA interface supported",
    r"qemu/e820: addr 0x0+ len 0x",
    r"Moving pm_base to 0x600",
    r"PCI: init bdf=00:00\.0 id=8086:1237",
    r"PCI: init bdf=00:01\.0 id=8086:7000",
    r"PIIX3/PIIX4 init: elcr=00 0c",
    r"PCI: init bdf=00:01\.1 id=8086:7010",
    r"PCI: init bdf=00:01\.3 id=8086:7113",
    r"PCI: init bdf=00:02\.0 id=1234:1111",
    r"PCI: Using 00:02\.0 for primary VGA",
    r"Copying SMBIOS",
    r"table\(50434146\)=0x",
    r"ACPI: parse DSDT at 0x",
    r"Start SeaVGABIOS",
    r"VBE DISPI: lfb_addr=[0-9a-f]+, size 16 MB",
    r"Turning on vga text mode console",
    r"Searching bootorder for: /pci@i0cf8/isa@1/fdc@03f0/floppy@0",
    r"ATA controller 1 at 1f0/3f4/[0-9a-f]+ \(irq 14",
    r"ATA controller 2 at 170/374/[0-9a-f]+ \(irq 15",
    r"Found 1 serial ports",
    r"PS2 keyboard initialized",
    r"All threads complete\.",
    r"e820 map has \d+ items",
    r"enter handle_19",
)


def missing(log: str, patterns=FINDS) -> list[str]:
    """The patterns that no line of the log has."""
    return [pattern for pattern in patterns if not re.search(pattern, log)]


def troubles(log: str) -> list[str]:
    """The lines that speak of something wrong."""
    return [line for line in log.split("\n") if TROUBLE.search(line)]
