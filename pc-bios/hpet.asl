// SPDX-License-Identifier: GPL-2.0-or-later
// The high precision event timers (IA-PC HPET specification 1.0a, 3.2.4), where the machine has them.
DefinitionBlock("hpet.aml", "SSDT", 1, "RHEA", "RHEAHPET", 1)
{
    Scope(\_SB)
    {
        Device(HPET)
        {
            Name(_HID, EisaId("PNP0103"))
            Name(_UID, 0)
            Name(_CRS, ResourceTemplate() { Memory32Fixed(ReadOnly, 0xfed00000, 0x400) })
            Name(_STA, 0xf)
        }
    }
}
