#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A PCI device that copies guest memory, in Python: registers, DMA, a timer, an interrupt, state.

    0x00 r   identification, 0xc0b1e001      0x10 rw  bytes, at most 4096
    0x04 rw  source address                  0x14 w   1: start; r: 1 while it works, 2 after an error
    0x08 rw  destination address             0x18 rw  interrupt: 1 while it is raised; a write lowers it
"""
import rhea_device

SOURCE, DESTINATION, COUNT, COMMAND, IRQ = 0x04, 0x08, 0x10, 0x14, 0x18
IDENTIFICATION, MOST, BUSY, FAILED = 0xc0b1e001, 4096, 1, 2
COPY_NS = 20_000


class Copier(rhea_device.Device):
    vendor, device, pci_class = 0x1b36, 0x7e59, 0x088000
    bars = {0: 4096}
    messages = 1

    def reset(self):
        self.registers = {SOURCE: 0, DESTINATION: 0, COUNT: 0}
        self.status = self.raised = 0

    def read(self, bar, offset, size):
        if offset == 0:
            return IDENTIFICATION
        fixed = {COMMAND: self.status, IRQ: self.raised}
        return fixed.get(offset, self.registers.get(offset, 0))

    def write(self, bar, offset, size, value):
        if offset in self.registers and self.status != BUSY:
            self.registers[offset] = value & 0xffffffff
        elif offset == COMMAND and value & 1 and self.status != BUSY:
            self.status = BUSY
            self.arm(0, COPY_NS)
        elif offset == IRQ:
            self.raised = 0
            self.interrupt(False)

    def timer(self, number):
        count = min(self.registers[COUNT], MOST)
        try:
            self.dma_write(self.registers[DESTINATION], self.dma_read(self.registers[SOURCE], count))
            self.status = 0
        except rhea_device.DmaError:
            self.status = FAILED
        self.raised = 1
        self.interrupt(True)

    def save(self):
        return [*self.registers.values(), self.status, self.raised]

    def load(self, state):
        *registers, self.status, self.raised = map(int, state)
        self.registers = dict(zip(self.registers, registers, strict=True))


Copier().run()
