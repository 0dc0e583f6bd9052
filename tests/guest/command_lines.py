# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrong command lines: status 1 and one line on standard error that names what is wrong."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "lib"))
import tap  # noqa: E402
from emulator import program  # noqa: E402

SECONDS = 30.0

# Options, and words that the complaint must have. IMAGE is a good image, FIFO one without a peer.
WRONG = (
    ("-machine nope", "-machine nope"),
    ("-machine pc,nope=1", "nope"),
    ("-machine pc,kernel-irqchip=maybe", "kernel-irqchip maybe"),
    ("-accel nope", "-accel nope"),
    ("-accel kvm,nope=1", "-accel nope"),
    ("-accel kvm,dirty-ring-size=3", "-accel dirty-ring-size 3"),
    ("-accel kvm,kernel-irqchip=maybe", "-accel kernel-irqchip maybe"),
    ("-accel qtest,nope=1", "-accel nope"),
    ("-cpu nope", "-cpu nope"),
    ("-cpu qemu64,nope=1", "-cpu nope"),
    ("-cpu qemu64,+nope", "-cpu nope"),
    ("-cpu qemu64,avx=maybe", "-cpu avx=maybe"),
    ("-cpu qemu64,vendor=me", "-cpu vendor me"),
    ("-cpu qemu64,phys-bits=99", "-cpu phys-bits 99"),
    ("-cpu qemu64,-svm,+avx512f,enforce -accel tcg", "-cpu qemu64 avx512f"),
    ("-m x", "-m x"),
    ("-m 0", "-m 0"),
    ("-m 1Z", "-m 1Z"),
    ("-m 99999T", "-m 99999T"),
    ("-m size=x", "-m x"),
    ("-m 128,nope=1", "-m nope"),
    ("-smp 0", "-smp 0"),
    ("-smp x", "-smp x"),
    ("-smp 2,nope=1", "-smp nope"),
    ("-smp 100000", "-smp 100000"),
    ("-smp cpus=4,maxcpus=2", "-smp maxcpus"),
    ("-smp 4,sockets=3,cores=1,threads=1", "-smp sockets"),
    ("-smp 2,sockets=3,cores=1,threads=1,maxcpus=4", "-smp sockets"),
    ("-smp 4,cores=8", "-smp cores (8) maxcpus (4)"),
    ("-smp 2,sockets=3", "-smp sockets (3) maxcpus (2)"),
    ("-smp 3,sockets=2,cores=2,threads=1", "-smp cores (2) maxcpus (3)"),
    ("-machine pc,accel=qtest,smp.cpus=3,smp.cores=2", "-smp cores (2) maxcpus (3)"),
    ("-smp 4,clusters=2", "-smp clusters"),
    ("-smp 256", "-smp 256 255"),
    ("-cdrom /no/such.iso", "-cdrom /no/such.iso No such file"),
    ("-hda /no/such.img", "-hda /no/such.img No such file"),
    ("-fda /no/such.img", "-fda /no/such.img No such file"),
    ("/no/such.img", "/no/such.img No such file"),
    ("-drive file=/no/such.img", "-drive /no/such.img No such file"),
    ("-drive file=IMAGE,if=nope", "-drive nope"),
    ("-drive file=IMAGE,format=nope", "-drive nope"),
    ("-drive file=IMAGE,nope=1", "-drive nope"),
    ("-drive file=IMAGE,media=nope", "-drive nope"),
    ("-drive file=IMAGE,format=raw,readonly=maybe", "-drive readonly maybe"),
    ("-drive file=IMAGE,format=raw,if=ide,index=9", "-drive IDE bus"),
    ("-drive file=IMAGE,format=raw,aio=native", "-drive aio=native cache.direct=on"),
    ("-drive file=IMAGE,format=raw,discard=maybe", "-drive discard maybe"),
    ("-drive file=IMAGE,format=qcow2", "-drive qcow2 QEMU Rhea has not yet"),
    ("-drive file=nbd:localhost:1", "-drive nbd QEMU Rhea has not yet"),
    ("-blockdev file,node-name=a", "-blockdev filename missing"),
    ("-blockdev file,node-name=a,filename=/no/such", "-blockdev /no/such No such file"),
    ("-blockdev file,node-name=a,filename=FIFO", "-blockdev neither"),
    ("-blockdev file,node-name=a,filename=IMAGE,read-only", "-blockdev read-only"),
    ("-blockdev raw,node-name=a,file=nope", "-blockdev nope"),
    ("-blockdev nbd,node-name=a", "-blockdev nbd QEMU Rhea has not yet"),
    ("-blockdev nope,node-name=a", "-blockdev nope"),
    ("-blockdev '{\"driver\": \"file\"'", "-blockdev JSON"),
    ("-blockdev file,node-name=a,filename=IMAGE -device ide-hd,drive=a -device ide-hd,drive=a",
     "-device 'a' in use"),
    ("-numa node", "-numa total memory RAM size"),
    ("-numa node,nodeid=x", "-numa nodeid x"),
    ("-numa dist,src=0,dst=0,val=10", "-numa dist NUMA node is missing"),
    ("-numa hmat-lb,initiator=0", "-numa hmat-lb QEMU Rhea has not yet"),
    ("-smp 3,dies=2", "-smp dies (2) maxcpus (3)"),
    ("-machine pc,accel=qtest,pcspk-audiodev=nope", "isa-pcspk.audiodev nope"),
    ("-icount 11", "-icount shift=11"),
    ("-icount shift=auto", "-icount shift=auto"),
    ("-icount 3,align=on", "-icount align=on"),
    ("-icount 3,sleep=maybe", "-icount sleep maybe"),
    ("-icount 3,nope=1", "-icount nope"),
    ("-icount 3 -accel kvm", "-icount -accel kvm"),
    ("-icount 3,rr=record,rrfile=x", "-icount rr QEMU Rhea has not yet"),
    ("-accel tcg,thread=multi -icount 3", "-accel tcg,thread=multi No MTTCG when icount"),
    ("-machine accel=tcg -accel tcg", "-accel \"-machine accel=\" incompatible"),
    ("-enable-kvm -accel tcg", "-accel \"-machine accel=\" incompatible"),
    ("-m 1G,slots=2,maxmem=2G", "-m slots maxmem QEMU Rhea has not yet"),
    ("-drive file=IMAGE,format=raw,if=scsi", "machine type does not support if=scsi,bus=0,unit=0 scsi-hd"),
    ("-drive file=IMAGE,format=raw,id=1bad", "-drive identifier 1bad"),
    ("-prom-env a=1", "-prom-env not supported for this target"),
    ("-pidfile /no/such/file", "-pidfile /no/such/file No such file"),
    ("-d all,nope", "-d nope"),
    ("-trace events=/no/such", "-trace /no/such No such file"),
    ("-rtc base=noon", "-rtc base=noon"),
    ("-rtc base=2006-13-45", "-rtc base=2006-13-45"),
    ("-rtc clock=sun", "-rtc clock=sun"),
    ("-rtc driftfix=maybe", "-rtc driftfix=maybe"),
    ("-rtc nope=1", "-rtc nope"),
    ("-drive file=IMAGE,format=raw,if=ide,bus=x", "-drive x"),
    ("-drive file=IMAGE,format=raw,if=none,id=one -drive file=IMAGE,format=raw,if=none,id=one",
     "-drive one"),
    ("-drive file=IMAGE,format=raw,index=0 -hda IMAGE", "index=0"),
    ("-spice port=1", "-spice QEMU Rhea has not yet"),
    ("-nodefconfig", "-nodefconfig no longer -no-user-config"),
    ("-watchdog i6300esb", "-watchdog no longer -device"),
    ("-dirve file=IMAGE", "-dirve did you mean 'drive'?"),
    ("''", "argument is empty"),
    ("-device vmxnet3", "-device QEMU Rhea has not yet"),
    ("-device qemu64-x86_64-cpu", "-device pluggable -cpu and -smp bring processors"),
    ("-device i8042", "-device pluggable the board brings"),
    ("-device VGAA", "-device did you mean 'VGA'?"),
    ("-device VGA,vgamem=3", "-device did you mean 'vgamem_mb'?"),
    ("-display gtk", "-display QEMU Rhea has not yet: use -display curses"),
    ("-d op", "-d QEMU Rhea has not yet: use out_asm"),
    ("-chardev spicevmc,id=a", "-chardev QEMU Rhea has not yet: use socket"),
    ("-kernel FIFO", "-kernel pipe"),
    ("-kernel IMAGE -initrd FIFO", "-kernel"),
    ("-bios FIFO", "pipe"),
    ("-option-rom FIFO", "-option-rom pipe"),
    ("-device VGA,romfile=FIFO", "-device pipe"),
    ("-fw_cfg opt/x,file=FIFO", "-fw_cfg nothing came"),
    ("-D FIFO", "-D nobody reads"),
    ("-trace enable=*,file=FIFO", "-trace nobody reads"),
    ("-qtest null -qtest-log FIFO", "-qtest-log nobody reads"),
    ("-drive file=FIFO,format=raw", "-drive"),
    ("-machine pc-1.0,accel=qtest", "-machine pc-1.0 no longer -machine pc"),
    ("-vga qxl", "-vga QEMU Rhea has not yet: use -vga std"),
    ("-net nic,model=vmxnet3", "-net Unsupported NIC model QEMU Rhea has not yet"),
    ("-accel kvmm", "-accel did you mean 'kvm'?"),
    ("-k nope", "-k nope keyboard"),
    ("-k frr", "-k did you mean"),
    ("-msg nope=1", "-msg nope"),
    ("-dfilter x", "-dfilter no range"),
    ("-sandbox on,spawn=maybe", "-sandbox spawn=maybe"),
    ("-sandbox on,nope=1", "-sandbox nope"),
    ("-runas no-such-user", "-runas no-such-user"),
    ("-chroot /no/such", "-chroot /no/such No such file"),
    ("-readconfig /no/such", "-readconfig /no/such No such file"),
    ("-object nope,id=a", "-object nope"),
    ("-object secret", "-object 'id' missing"),
    ("-object secret,id=a", "-object 'file' 'data'"),
    ("-object throttle-group,id=a", "-object QEMU Rhea has not yet"),
    ("-add-fd fd=99,set=1", "-add-fd fd=99"),
    ("-cpu Broadwel", "-cpu did you mean 'Broadwell'?"),
    ("-device nope", "-device nope"),
    ("-device edu,nope=1", "-device nope"),
    ("-device edu,dma_mask=x", "-device dma_mask x"),
    ("-device edu,addr=99", "-device addr 99"),
    ("-device edu,addr=1", "-device edu"),
    ("-device edu,bus=nope", "-device nope"),
    ("-device edu,id=1a", "-device 1a"),
    ("-device edu,id=one -device edu,id=one", "-device one"),
    ("-device isa-debug-exit,iobase=0x10000", "-device iobase 0x10000"),
    ("-device isa-debug-exit,iosize=x", "-device iosize x"),
    ("-device ide-hd", "-device ide-hd drive"),
    ("-device ide-hd,drive=nope", "-device drive nope"),
    ("-device isa-serial,chardev=nope", "-device chardev nope"),
    ("-device isa-serial,index=9", "-device index 9"),
    ("-boot z", "-boot z"),
    ("-boot order=xyz", "-boot x"),
    ("-machine pc-i440fx-1.3,accel=qtest", "-machine pc-i440fx-1.3"),
    ("-machine pc,accel=qtest,max-ram-below-4g=5G", "max-ram-below-4g 5G"),
    ("-machine pc,accel=qtest,memory-backend=nope", "memory-backend=nope"),
    ("-uuid nope", "-uuid nope"),
    ("-smbios type=1,nope=x", "-smbios nope"),
    ("-smbios type=41,pcidev=nope", "type=41 nope"),
    ("-smbios file=/no/such", "-smbios /no/such"),
    ("-acpitable sig=TEST", "-acpitable file="),
    ("-acpitable data=/no/such", "-acpitable /no/such"),
    ("-overcommit nope=1", "-overcommit nope"),
    ("-overcommit cpu-pm=maybe", "-overcommit cpu-pm maybe"),
    ("-seed x", "-seed x Invalid seed number"),
    ("-mem-path /no/such/dir/file", "mem-path /no/such/dir/file"),
    ("-device vmcoreinfo -device vmcoreinfo", "-device vmcoreinfo"),
    ("-boot nope=1", "-boot nope"),
    ("-boot e", "-boot Invalid boot device for PC: 'e'"),
    ("-boot once=e", "-boot Invalid boot device for PC: 'e'"),
    ("-boot acdn", "-boot Too many boot devices"),
    ("-boot strict=maybe", "-boot strict maybe"),
    ("-boot splash=/no/such", "-boot splash=/no/such"),
    ("-boot splash-time=70000", "-boot splash-time 70000"),
    ("-boot reboot-timeout=-2", "-boot reboot-timeout -2"),
    ("-option-rom IMAGE,bootindex=x", "-option-rom bootindex x"),
    ("-global isa-fdc.bootindexA=1 -global isa-fdc.bootindexB=1", "bootindex 1"),
    ("-boot menu=maybe", "-boot menu maybe"),
    ("-bios /no/such.bin", "/no/such.bin"),
    ("-pflash /no/such", "-pflash /no/such No such file"),
    ("-pflash IMAGE -bios x", "-bios x flash"),
    ("-drive if=pflash,unit=1,format=raw,file=IMAGE", "if=pflash unit 0"),
    ("-drive if=pflash,unit=2,format=raw,file=IMAGE", "if=pflash unit=2"),
    ("-machine pc,accel=qtest,pflash0=nope", "pflash0=nope"),
    ("-kernel /no/such", "-kernel /no/such No such file"),
    ("-kernel IMAGE", "-kernel bzImage"),
    ("-initrd IMAGE", "-initrd needs -kernel"),
    ("-append nope", "-append nope needs -kernel"),
    ("-option-rom /no/such", "-option-rom /no/such"),
    ("-option-rom IMAGE", "-option-rom too large"),
    ("-fw_cfg nope", "-fw_cfg nope"),
    ("-fw_cfg opt/x,file=/no/such", "-fw_cfg /no/such No such file"),
    ("-fw_cfg opt/x,string=a,file=IMAGE", "-fw_cfg opt/x"),
    ("-fw_cfg opt/x,string=a -fw_cfg opt/x,string=b", "-fw_cfg opt/x"),
    ("-fw_cfg opt/x,string=a,nope=1", "-fw_cfg nope"),
    ("-serial nope", "-serial nope"),
    ("-serial file:/no/such/file", "-serial /no/such/file No such file"),
    ("-serial chardev:nope", "nope"),
    ("-debugcon nope", "-debugcon nope"),
    ("-chardev nope,id=one", "-chardev nope"),
    ("-chardev null", "-chardev id"),
    ("-chardev file,id=one", "-chardev path"),
    ("-chardev file,id=one,path=/no/such/file", "-chardev /no/such/file No such file"),
    ("-chardev null,id=one -chardev null,id=one", "-chardev one"),
    ("-chardev null,id=one,nope=1", "-chardev nope"),
    ("-chardev socket,id=one", "-chardev"),
    ("-chardev socket,id=one,host=localhost,port=99999,server=on,wait=off", "-chardev 99999"),
    ("-monitor nope", "-monitor nope"),
    ("-mon chardev=nope", "-mon nope"),
    ("-qmp nope", "-qmp nope"),
    ("-qmp unix:/no/such/socket,server=on,wait=off", "-qmp /no/such/socket No such file"),
    ("-qmp tcp:localhost:notaport,server=on,wait=off", "-qmp notaport"),
    ("-qtest nope", "-qtest nope"),
    ("-display nope", "-display nope"),
    ("-display none,nope=1", "-display nope"),
    ("-vnc nope", "-vnc nope"),
    ("-vga nope", "-vga nope"),
    ("-machine pc,accel=qtest,smm=on", "-machine smm=on"),
    ("-machine microvm,accel=qtest -boot once=d", "-boot once=d bootindex"),
    ("-nic nope", "-nic nope"),
    ("-name x,nope=1", "-name nope"),
    ("-global nope", "-global nope"),
    ("-global edu.dma_mask=x -device edu", "-global edu.dma_mask x"),
    ("-d nope", "-d nope"),
    ("-D /no/such/log", "-D /no/such/log"),
    ("-trace nope=1", "-trace nope"),
    ("-trace enable=nope*", "-trace nope*"),
    ("-trace edu0:nope*", "-trace edu0:nope* device"),
    ("-trace :edu_dma", "-trace :edu_dma device colon"),
    ("-m", "-m argument"),
    ("-nope", "-nope"),
    ("--nope", "-nope"),
    ("-S=1", "-S=1"),
)


def expect_refusal(rhea: Path, line: str, words: str) -> None:
    with tempfile.TemporaryDirectory(prefix="rhea-guest-") as folder:
        image = Path(folder) / "good.img"
        image.write_bytes(bytes(1 << 20))
        fifo = Path(folder) / "fifo"
        os.mkfifo(fifo)
        wrong = shlex.split(line.replace("IMAGE", str(image)).replace("FIFO", str(fifo)))
        command = [str(rhea), "-display", "none", "-monitor", "none", "-serial", "none", "-S",
                   *wrong]
        if not {"-accel", "-machine"} & set(wrong):
            command[1:1] = ["-accel", "qtest"]  # needs nothing of the host
        try:
            run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as late:
            said = (late.stderr or b"").decode(errors="replace")
            raise tap.Failure("taken as if it were right", said) from None
    said = run.stderr
    if run.returncode != 1:
        raise tap.Failure(f"status {run.returncode}, expected 1", said)
    if said.count("\n") != 1 or not said.startswith("rhea: "):
        raise tap.Failure("standard error is not one line from rhea", said)
    if "cannot open /dev/kvm" in said and not os.access("/dev/kvm", os.R_OK | os.W_OK):
        raise tap.Skip("there is no KVM, which comes to light before what is wrong")
    absent = [word for word in words.split() if word not in said]
    if absent:
        raise tap.Failure(f"the complaint does not name {absent}", said)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rhea", type=program, required=True, help="the emulator")
    rhea = parser.parse_args().rhea
    return tap.run([(line, lambda line=line, words=words: expect_refusal(rhea, line, words))
                    for line, words in WRONG])


if __name__ == "__main__":
    sys.exit(main())
