# SPDX-License-Identifier: GPL-2.0-or-later
"""A small vfio-user server: a PCI device with registers, DMA, a page of memory, INTx, MSI and MSI-X.
Misbehaves on request. Written from the protocol's description, QEMU's docs/interop/vfio-user.rst."""

from __future__ import annotations

import argparse
import array
import fcntl
import json
import mmap
import os
import socket
import struct
import sys
import time

VERSION, DMA_MAP, DMA_UNMAP, DEVICE_INFO, REGION_INFO, REGION_IO_FDS = 1, 2, 3, 4, 5, 6
IRQ_INFO, SET_IRQS, REGION_READ, REGION_WRITE, DMA_READ, DMA_WRITE, RESET = 7, 8, 9, 10, 11, 12, 13
REPLY, NO_REPLY, ERROR = 1, 0x10, 0x20
HEADER = struct.Struct("<HHIII")
READ, WRITE, MAPPABLE, CAPABILITIES = 1, 2, 4, 8
CONFIG, REGIONS, INTERRUPTS = 7, 9, (1, 4, 3)
PAGE = 4096
F_ADD_SEALS, F_SEAL_SHRINK = 1033, 2

# Registers of BAR 0.
ID, SCRATCH, SOURCE, TARGET, LENGTH, COPY, RESULT, RAISE, COMMAND, MAPS, RESETS, UNMASKED = range(0, 48, 4)
# Doorbells, which are eventfds: any write, and writes of 7 alone; how often each rang is read behind them.
BELL, BELL_OF_7, RINGS, RINGS_OF_7 = range(0x80, 0x90, 4)
IDENTIFICATION = 0x7e5a0001
BY_MAPPING, BY_MESSAGES = 1, 2


def config_space(options) -> bytearray:
    space = bytearray(256)
    struct.pack_into("<HH", space, 0, 0x1b36, 0x7e5a)
    space[6] = 0x10  # a list of capabilities
    space[8:12] = bytes((3, 0, 0, 0xff))
    struct.pack_into("<II", space, 0x14, 0xc, 0)  # BAR 1: 64 bits, prefetchable
    struct.pack_into("<I", space, 0x1c, 1)  # BAR 3: ports
    struct.pack_into("<HH", space, 0x2c, 0x1af4, 0x1234)
    space[0x34], space[0x3d] = 0x40, 1
    space[0x0e] = 1 if options.behave == "bridge" else 0
    space[0x40:0x4a] = bytes((0x05, 0x50, 2 << 1, 0, 0, 0, 0, 0, 0, 0))  # MSI, 4 messages
    space[0x50:0x5c] = struct.pack("<BBHII", 0x11, 0x60, 2, 0x8000 | 4, 0x9000 | 4)  # MSI-X, elsewhere
    space[0x60:0x68] = bytes((0x09, 0, 8)) + b"Rhea!"
    return space


class Gone(Exception):
    pass


class Server:
    def __init__(self, options) -> None:
        self.options = options
        self.config = config_space(options)
        self.registers = bytearray(PAGE)
        struct.pack_into("<I", self.registers, ID, IDENTIFICATION)
        self.memory_file = os.memfd_create("bar1", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self.memory_file, 2 * PAGE)
        if options.behave != "unsealed":
            fcntl.fcntl(self.memory_file, F_ADD_SEALS, F_SEAL_SHRINK)
        else:
            fcntl.fcntl(self.memory_file, F_ADD_SEALS, 1)  # no more seals
        self.memory = mmap.mmap(self.memory_file, 2 * PAGE)
        self.sizes = {0: PAGE, 1: 2 * PAGE, 3: 24, CONFIG: 256}
        self.maps: dict[tuple[int, int], tuple[int, int]] = {}
        self.events: dict[int, int] = {}
        self.bells = [os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC) for _ in range(2)]
        self.twin: socket.socket | None = None
        self.next_id = 1

    # ---- The sockets

    def serve(self, path: str) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(1)
            print("ready", flush=True)
            while True:
                self.socket, _ = listener.accept()
                try:
                    while True:
                        self.answer(*self.hear(self.socket))
                except (Gone, ConnectionError):
                    self.forget_client()
                if not self.options.again:
                    return

    def forget_client(self) -> None:
        self.socket.close()
        self.maps.clear()
        self.events.clear()

    def hear(self, end: socket.socket):
        parts, descriptors, wanted = b"", array.array("i"), HEADER.size
        while len(parts) < wanted:
            piece, extra, _, _ = end.recvmsg(wanted - len(parts), socket.CMSG_SPACE(32))
            if not piece:
                raise Gone
            for level, kind, data in extra:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    descriptors.frombytes(data[:len(data) // 4 * 4])
            parts += piece
            if len(parts) == HEADER.size:
                wanted = HEADER.unpack(parts)[2]
        return HEADER.unpack(parts[:HEADER.size]), parts[HEADER.size:], list(descriptors)

    @staticmethod
    def say(end: socket.socket, head: tuple, body: bytes, descriptors=()) -> None:
        number, command, flags, error = head
        data = HEADER.pack(number, command, HEADER.size + len(body), flags, error) + body
        extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        sent = end.sendmsg([data], extra)
        end.sendall(data[sent:])

    def ask(self, command: int, body: bytes) -> bytes | None:
        """A command of ours; nothing when it is refused. What the client says meanwhile waits its turn."""
        end = self.twin or self.socket
        number = self.next_id
        self.next_id += 1
        self.say(end, (number, command, 0, 0), body)
        while True:
            head, data, _ = answer = self.hear(end)
            if head[3] & 0xf == REPLY and head[0] == number:
                return None if head[3] & ERROR else data
            self.answer(*answer)

    # ---- What the client says

    def answer(self, head: tuple, body: bytes, descriptors: list[int]) -> None:
        number, command, _, flags, _ = head
        error, out, given = 0, b"", ()
        try:
            out, given = self.do(command, body, descriptors)
        except OSError as failure:
            error = failure.errno
        if not flags & NO_REPLY:
            self.say(self.socket, (number, command, REPLY | (ERROR if error else 0), error), out, given)

    def do(self, command: int, body: bytes, descriptors: list[int]):
        if command == VERSION:
            return self.version()
        if command == DEVICE_INFO:
            return struct.pack("<IIII", 16, 3 if self.options.behave != "no-pci" else 1, REGIONS, 5), ()
        if command == REGION_INFO:
            return self.region_info(struct.unpack_from("<III", body)[2])
        if command == REGION_IO_FDS:
            return self.region_io_fds(struct.unpack_from("<III", body)[2])
        if command == IRQ_INFO:
            index = struct.unpack_from("<III", body)[2]
            count = INTERRUPTS[index] if index < len(INTERRUPTS) else 0
            return struct.pack("<IIII", 16, 1 | (4 if index == 0 else 0), index, count), ()
        if command == SET_IRQS:
            return self.set_irqs(body, descriptors)
        if command in (DMA_MAP, DMA_UNMAP):
            return self.dma(command, body, descriptors)
        if command in (REGION_READ, REGION_WRITE):
            return self.access(command, body)
        if command == RESET:
            self.count(RESETS)
            self.config[4:6] = bytes(2)
            return b"", ()
        raise OSError(22, "unknown")

    def version(self):
        behave = self.options.behave
        capabilities = {"max_msg_fds": 2, "max_data_xfer_size": 1 << 20}
        given = ()
        if self.options.twin:
            self.twin, theirs = socket.socketpair()
            self.theirs = theirs
            capabilities["twin_socket"] = {"supported": True, "fd_index": 0}
            given = (theirs.fileno(),)
        if behave == "bad-twin":
            capabilities["twin_socket"] = {"supported": True, "fd_index": 3}
        text = json.dumps({"capabilities": capabilities}).encode() + b"\0"
        if behave == "no-json":
            text = b"[" * 1000 + b"\0"
        return struct.pack("<HH", 7 if behave == "version" else 0, 1) + text, given

    def region_info(self, index: int):
        size = self.sizes.get(index, 0)
        if index == 0 and self.options.behave == "huge-bar":
            size = 1 << 50
        flags = READ | WRITE if size else 0
        if index != 1:
            return struct.pack("<IIIIQQ", 32, flags, index, 0, size, 0), ()
        sparse = struct.pack("<HHIII", 1, 1, 0, 1, 0) + struct.pack("<QQ", 0, PAGE)
        info = struct.pack("<IIIIQQ", 32 + len(sparse), flags | MAPPABLE | CAPABILITIES, index, 32, size, 0)
        return info + sparse, (self.memory_file,)

    def region_io_fds(self, index: int):
        if index != 0 or self.options.behave == "no-bells":
            raise OSError(22, "none")
        given = self.bells if self.options.behave != "no-eventfd" else [self.memory_file, self.bells[1]]
        offset = 1 << 40 if self.options.behave == "bell-outside" else BELL
        parts = struct.pack("<QQIIIIQ", offset, 4, 0, 0, 0, 0, 0)
        parts += struct.pack("<QQIIIIQ", BELL_OF_7, 4, 1, 0, 1, 0, 7)
        return struct.pack("<IIII", 16 + len(parts), 0, index, 2) + parts, given

    def rings(self, register: int) -> int:
        try:
            return os.eventfd_read(self.bells[(register - RINGS) // 4])
        except BlockingIOError:
            return 0

    def set_irqs(self, body: bytes, descriptors: list[int]):
        _, flags, index, start, count = struct.unpack_from("<IIIII", body)
        if index >= len(INTERRUPTS) or start + count > INTERRUPTS[index]:
            raise OSError(22, "range")
        if flags & 0x10:
            self.count(UNMASKED)
        elif descriptors:
            if len(descriptors) != count:
                raise OSError(22, "descriptors")
            if self.options.behave == "blocking":  # O_NONBLOCK is Rhea's flag as well
                for fd in descriptors:
                    os.set_blocking(fd, True)
            self.events.update({start + n: fd for n, fd in enumerate(descriptors)})
        elif count == 0:
            self.events.clear()
        return b"", ()

    def dma(self, command: int, body: bytes, descriptors: list[int]):
        if command == DMA_UNMAP:
            _, _, address, size = struct.unpack("<IIQQ", body)
            fd, _ = self.maps.pop((address, size))
            os.close(fd)
            self.count(MAPS, -1)
            return body, ()
        _, _, offset, address, size = struct.unpack("<IIQQQ", body)
        if self.options.behave == "no-memory":
            raise OSError(12, "no")
        self.maps[address, size] = descriptors[0], offset
        self.count(MAPS)
        return b"", ()

    def count(self, register: int, by: int = 1) -> None:
        value, = struct.unpack_from("<I", self.registers, register)
        struct.pack_into("<I", self.registers, register, value + by)

    # ---- The device

    def access(self, command: int, body: bytes):
        offset, region, count = struct.unpack_from("<QII", body)
        if offset + count > self.sizes.get(region, 0):
            raise OSError(22, "range")
        space = {0: self.registers, 1: self.memory, CONFIG: self.config}.get(region, bytearray(64))
        if command == REGION_READ:
            if region == 0:
                self.misbehave()
            if region == 0 and offset in (RINGS, RINGS_OF_7):
                struct.pack_into("<I", self.registers, offset, self.rings(offset))
            if region == 0 and self.options.behave == "short":
                return b"", ()
            return struct.pack("<QII", offset, region, count) + bytes(space[offset:offset + count]), ()
        data = body[16:16 + count]
        space[offset:offset + count] = data
        if region == 0:
            self.written(offset, int.from_bytes(data, "little"))
        if region == CONFIG and offset == 4:
            struct.pack_into("<I", self.registers, COMMAND, int.from_bytes(data, "little"))
        return struct.pack("<QII", offset, region, count), ()

    def written(self, register: int, value: int) -> None:
        # The client may be about to say where the interrupt goes: then it is nobody's yet.
        if register == RAISE and value in self.events:
            os.write(self.events[value], struct.pack("<Q", 1))
        elif register == COPY:
            source, target, length = (struct.unpack_from("<I", self.registers, at)[0]
                                      for at in (SOURCE, TARGET, LENGTH))
            done = (self.copy_mapped if value == BY_MAPPING else self.copy_by_messages)(source, target, length)
            struct.pack_into("<I", self.registers, RESULT, 1 if done else 2)

    def host(self, address: int, length: int):
        for (start, size), (fd, offset) in self.maps.items():
            if start <= address and address + length <= start + size:
                return fd, offset + address - start
        return None

    def copy_mapped(self, source: int, target: int, length: int) -> bool:
        one, other = self.host(source, length), self.host(target, length)
        if not one or not other:
            return False
        os.pwrite(other[0], os.pread(one[0], length, one[1]), other[1])
        return True

    def copy_by_messages(self, source: int, target: int, length: int) -> bool:
        data = self.ask(DMA_READ, struct.pack("<QQ", source, length))
        if data is None or len(data) != 16 + length:
            return False
        return self.ask(DMA_WRITE, struct.pack("<QQ", target, length) + data[16:]) is not None

    def misbehave(self) -> None:
        behave = self.options.behave
        if behave == "hangs":
            time.sleep(1000)
        elif behave == "dies":
            os._exit(3)
        elif behave == "nonsense":
            self.socket.sendall(b"\xff" * 64)
        elif behave == "gigabyte":
            try:
                self.socket.sendall(HEADER.pack(1, REGION_READ, 1 << 30, REPLY, 0))
                for _ in range(1 << 10):
                    self.socket.sendall(bytes(1 << 20))
            except OSError:
                os._exit(1)
        elif behave == "unasked":
            self.say(self.socket, (0xdead, REGION_READ, REPLY, 0), bytes(20))
        elif behave == "unknown":
            self.say(self.socket, (1, 99, 0, 0), bytes(4))
        elif behave == "long-dma":
            self.say(self.socket, (1, DMA_READ, 0, 0), struct.pack("<QQ", 0, 1 << 40))
        elif behave == "descriptors":
            self.say(self.socket, (1, DMA_READ, 0, 0), struct.pack("<QQ", 0, 4), [0] * 20)
        elif behave == "flood":
            try:
                while True:
                    self.say(self.socket, (1, DMA_READ, NO_REPLY, 0), struct.pack("<QQ", 0, 4096))
            except OSError:
                os._exit(1)
        elif behave == "deaf":
            try:
                while True:
                    self.say(self.socket, (1, DMA_READ, 0, 0), struct.pack("<QQ", 0, 65536))
            except OSError:
                os._exit(1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--behave", default="")
    parser.add_argument("--twin", action="store_true", help="commands of the server have a socket of their own")
    parser.add_argument("--again", action="store_true", help="serves one client after the other")
    options = parser.parse_args()
    if options.behave == "silent":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(options.socket)
            listener.listen(1)
            print("ready", flush=True)
            end, _ = listener.accept()
            end.recv(1)
            time.sleep(1000)
    Server(options).serve(options.socket)
    return 0


if __name__ == "__main__":
    sys.exit(main())
