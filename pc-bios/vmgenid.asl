// SPDX-License-Identifier: GPL-2.0-or-later
// Where the guest finds its machine's generation (Microsoft's "Virtual Machine Generation ID"; QEMU's docs/specs/vmgenid).
DefinitionBlock("vmgenid.aml", "SSDT", 1, "RHEA", "VMGENID", 1)
{
    Name(VGIA, 0xffff0000)  // the address of the file etc/vmgenid_guid, as firmware links it
    Scope(\_SB)
    {
        Device(VGEN)
        {
            Method(_HID) { Return ("QEMUVGID") }  // a name would have to end in hexadecimal digits
            Name(_CID, "VM_Gen_Counter")
            Name(_DDN, "VM_Gen_Counter")
            Method(_STA)
            {
                If (\VGIA == 0) { Return (0) }
                Return (0xf)
            }
            Method(ADDR)  // lower and upper half of the address; 40 bytes stand before the number
            {
                Local0 = Package(2) { 0, 0 }
                Local0[0] = \VGIA + 40
                Return (Local0)
            }
        }
    }
    Scope(\_GPE)
    {
        Method(_E05) { Notify(\_SB.VGEN, 0x80) }
    }
}
