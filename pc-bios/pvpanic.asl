// SPDX-License-Identifier: GPL-2.0-or-later
// The port by which a guest tells that it panicked (QEMU's docs/specs/pvpanic), where the machine has one.
DefinitionBlock("pvpanic.aml", "SSDT", 1, "RHEA", "RHEAPNIC", 1)
{
    External(\_SB.PCI0.ISA, DeviceObj)
    Scope(\_SB.PCI0.ISA)
    {
        Device(PEVT)
        {
            Name(PEPO, 0xffff0000)  // the port; patched at start (hw/i386/device_tables.cc)
            Name(_HID, "QEMU0001")
            Name(PORT, ResourceTemplate() { IO(Decode16, 0, 0, 1, 1, PIO) })
            Method(_CRS, 0, Serialized)
            {
                CreateWordField(PORT, \_SB.PCI0.ISA.PEVT.PIO._MIN, PMIN)
                CreateWordField(PORT, \_SB.PCI0.ISA.PEVT.PIO._MAX, PMAX)
                PMIN = PEPO
                PMAX = PEPO
                Return (PORT)
            }
            Name(_STA, 0xf)
            OperationRegion(PEOR, SystemIO, PEPO, 1)
            Field(PEOR, ByteAcc, NoLock, Preserve) { PEPT, 8 }
            Method(RDPT) { Return (PEPT) }
            Method(WRPT, 1) { PEPT = Arg0 }
        }
    }
}
