// SPDX-License-Identifier: GPL-2.0-or-later
// The differentiated system description table of the microvm board (ACPI 6.4, chapter 5.2.11). The board patches the
// values of the names below at start, and puts the virtio devices behind it (hw/i386/microvm_acpi.cc).
DefinitionBlock("microvm.aml", "DSDT", 2, "RHEA", "RHEAVM", 1)
{
    Name(SER1, 0xff)                // whether there is a serial port
    Name(CLCK, 0xff)                // and a clock

    Name(\_S5, Package() { 5, 0, 0, 0 })

    Scope(\_SB)
    {
        Device(FWCF)
        {
            Name(_HID, "QEMU0002")
            Name(_STA, 0x0b)
            Name(_CRS, ResourceTemplate() { IO(Decode16, 0x510, 0x510, 1, 12) })
        }
        Device(COM1)
        {
            Name(_HID, EisaId("PNP0501"))
            Name(_UID, 1)
            Method(_STA) { If (\SER1) { Return (0x0f) } Return (0) }
            Name(_CRS, ResourceTemplate() {
                IO(Decode16, 0x3f8, 0x3f8, 0, 8)
                IRQNoFlags() { 4 }
            })
        }
        Device(RTC)
        {
            Name(_HID, EisaId("PNP0B00"))
            Method(_STA) { If (\CLCK) { Return (0x0f) } Return (0) }
            Name(_CRS, ResourceTemplate() {
                IO(Decode16, 0x70, 0x70, 1, 8)
                IRQNoFlags() { 8 }
            })
        }
        Device(PWRB)
        {
            Name(_HID, EisaId("PNP0C0C"))
            Name(_UID, 0)
        }
        Device(GED)
        {
            Name(_HID, "ACPI0013")
            Name(_UID, 0)
            Name(_CRS, ResourceTemplate() {
                Interrupt(ResourceConsumer, Edge, ActiveHigh, Exclusive) { 9 }
            })
            OperationRegion(EREG, SystemMemory, 0xfea00000, 4)
            Field(EREG, DWordAcc, NoLock, WriteAsZeros) { ESEL, 32 }
            Method(_EVT, 1, Serialized)
            {
                Local0 = ESEL
                If (Local0 & 2) { Notify(PWRB, 0x80) }
            }
        }
    }
}
