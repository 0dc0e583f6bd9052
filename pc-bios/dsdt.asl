// SPDX-License-Identifier: GPL-2.0-or-later
// The differentiated system description table of the PC board (ACPI 6.4, chapter 5.2.11).
// The values of the names below are patched at start (hw/i386/acpi_tables.cc); firmware that walks this table by
// itself, as SeaBIOS does, knows no External.
DefinitionBlock("dsdt.aml", "DSDT", 2, "RHEA", "RHEAPC", 1)
{
    Name(PLOW, 0xe0000000)          // first address of the PCI window below 4 GiB
    Name(PHIF, 0x10000000)          // first address of the PCI window above 4 GiB, in pages (SeaBIOS knows no
    Name(PHIL, 0x8fffffff)          // 64-bit constants), and its last page
    Name(SER1, 0xff)                // whether there is a first serial port
    Name(SER2, 0xff)                // and a second
    Name(PAR1, 0xff)                // the same of the parallel ports
    Name(PAR2, 0xff)
    Name(PAR3, 0xff)

    // S3 and S4, which can be switched off, are in the SSDT.
    Name(\_S5, Package() { 0, 0, 0, 0 })

    Scope(\_SB)
    {
        Device(PCI0)
        {
            Name(_HID, EisaId("PNP0A03"))
            Name(_UID, 0)
            Name(WNDW, ResourceTemplate() {
                WordBusNumber(ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0xff, 0, 0x100)
                IO(Decode16, 0xcf8, 0xcf8, 1, 8)
                WordIO(ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0, 0xcf7, 0, 0xcf8)
                WordIO(ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0xd00, 0xffff, 0, 0xf300)
                DWordMemory(ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite,
                    0, 0xa0000, 0xbffff, 0, 0x20000)
                DWordMemory(ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                    0, 0xe0000000, 0xfebfffff, 0, 0x1ec00000, , , LOWW)
            })
            Name(HIGH, ResourceTemplate() {
                QWordMemory(ResourceProducer, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite,
                    0, 0, 0, 0, 1, , , HIGW)
            })
            Method(_CRS, 0, Serialized)
            {
                CreateDWordField(WNDW, \_SB.PCI0.LOWW._MIN, LMIN)
                CreateDWordField(WNDW, \_SB.PCI0.LOWW._MAX, LMAX)
                CreateDWordField(WNDW, \_SB.PCI0.LOWW._LEN, LLEN)
                LMIN = \PLOW
                LLEN = LMAX - LMIN + 1
                CreateQWordField(HIGH, \_SB.PCI0.HIGW._MIN, HMIN)
                CreateQWordField(HIGH, \_SB.PCI0.HIGW._MAX, HMAX)
                CreateQWordField(HIGH, \_SB.PCI0.HIGW._LEN, HLEN)
                HMIN = \PHIF << 12
                HMAX = (\PHIL << 12) | 0xfff
                HLEN = HMAX - HMIN + 1
                ConcatenateResTemplate(WNDW, HIGH, Local0)
                Return (Local0)
            }

            // Pin p of slot s is on link (s - 1 + p) & 3; the power management function's INTA# is the SCI.
            Method(_PRT, 0, Serialized)
            {
                Local0 = Package(128) {}
                Local1 = 0
                While (Local1 < 128)
                {
                    Local2 = Local1 >> 2
                    Local3 = Local1 & 3
                    Local4 = (Local2 + Local3 + 3) & 3
                    If (Local1 == 4) { Local5 = Package(4) { 0, 0, LNKS, 0 } }
                    ElseIf (Local4 == 0) { Local5 = Package(4) { 0, 0, LNKA, 0 } }
                    ElseIf (Local4 == 1) { Local5 = Package(4) { 0, 0, LNKB, 0 } }
                    ElseIf (Local4 == 2) { Local5 = Package(4) { 0, 0, LNKC, 0 } }
                    Else { Local5 = Package(4) { 0, 0, LNKD, 0 } }
                    Local5[0] = (Local2 << 16) | 0xffff
                    Local5[1] = Local3
                    Local0[Local1] = Local5
                    Local1++
                }
                Return (Local0)
            }

            Device(PX13)
            {
                Name(_ADR, 0x00010003)
            }

            Device(ISA)
            {
                Name(_ADR, 0x00010000)
                OperationRegion(PIRQ, PCI_Config, 0x60, 4)
                Field(PIRQ, AnyAcc, NoLock, Preserve) { PRQA, 8, PRQB, 8, PRQC, 8, PRQD, 8 }

                Device(RTC)
                {
                    Name(_HID, EisaId("PNP0B00"))
                    Name(_CRS, ResourceTemplate() {
                        IO(Decode16, 0x70, 0x70, 1, 8)
                        IRQNoFlags() { 8 }
                    })
                }
                Device(KBD)
                {
                    Name(_HID, EisaId("PNP0303"))
                    Name(_CRS, ResourceTemplate() {
                        IO(Decode16, 0x60, 0x60, 1, 1)
                        IO(Decode16, 0x64, 0x64, 1, 1)
                        IRQNoFlags() { 1 }
                    })
                }
                Device(MOU)
                {
                    Name(_HID, EisaId("PNP0F13"))
                    Name(_CRS, ResourceTemplate() { IRQNoFlags() { 12 } })
                }
                Device(FDC0)
                {
                    Name(_HID, EisaId("PNP0700"))
                    Name(_CRS, ResourceTemplate() {
                        IO(Decode16, 0x3f2, 0x3f2, 0, 4)
                        IO(Decode16, 0x3f7, 0x3f7, 0, 1)
                        IRQNoFlags() { 6 }
                        DMA(Compatibility, NotBusMaster, Transfer8) { 2 }
                    })
                }
                Device(COM1)
                {
                    Name(_HID, EisaId("PNP0501"))
                    Name(_UID, 1)
                    Method(_STA) { If (\SER1 != 0) { Return (0xf) } Return (0) }
                    Name(_CRS, ResourceTemplate() {
                        IO(Decode16, 0x3f8, 0x3f8, 0, 8)
                        IRQNoFlags() { 4 }
                    })
                }
                Device(COM2)
                {
                    Name(_HID, EisaId("PNP0501"))
                    Name(_UID, 2)
                    Method(_STA) { If (\SER2 != 0) { Return (0xf) } Return (0) }
                    Name(_CRS, ResourceTemplate() {
                        IO(Decode16, 0x2f8, 0x2f8, 0, 8)
                        IRQNoFlags() { 3 }
                    })
                }
                Device(LPT1)
                {
                    Name(_HID, EisaId("PNP0400"))
                    Name(_UID, 1)
                    Method(_STA) { If (\PAR1 != 0) { Return (0xf) } Return (0) }
                    Name(_CRS, ResourceTemplate() {
                        IO(Decode16, 0x378, 0x378, 0, 8)
                        IRQNoFlags() { 7 }
                    })
                }
                Device(LPT2)
                {
                    Name(_HID, EisaId("PNP0400"))
                    Name(_UID, 2)
                    Method(_STA) { If (\PAR2 != 0) { Return (0xf) } Return (0) }
                    Name(_CRS, ResourceTemplate() {
                        IO(Decode16, 0x278, 0x278, 0, 8)
                        IRQNoFlags() { 7 }
                    })
                }
                Device(LPT3)
                {
                    Name(_HID, EisaId("PNP0400"))
                    Name(_UID, 3)
                    Method(_STA) { If (\PAR3 != 0) { Return (0xf) } Return (0) }
                    Name(_CRS, ResourceTemplate() {
                        IO(Decode16, 0x3bc, 0x3bc, 0, 3)
                        IRQNoFlags() { 7 }
                    })
                }
            }
        }

        // What a link device's _CRS says: the line its PIRQ register routes to, or none (bit 7).
        Method(IQCR, 1, Serialized)
        {
            Name(PRR0, ResourceTemplate() {
                Interrupt(ResourceConsumer, Level, ActiveHigh, Shared, , , INTR) { 0 }
            })
            CreateDWordField(PRR0, INTR._INT, PRRI)
            If (Arg0 < 0x80) { PRRI = Arg0 }
            Return (PRR0)
        }
        Method(IQST, 1) { If ((Arg0 & 0x80) != 0) { Return (0x09) } Return (0x0b) }

        Device(LNKA)
        {
            Name(_HID, EisaId("PNP0C0F"))
            Name(_UID, 0)
            Name(_PRS, ResourceTemplate() {
                Interrupt(ResourceConsumer, Level, ActiveHigh, Shared) { 5, 10, 11 }
            })
            Method(_STA) { Return (IQST(\_SB.PCI0.ISA.PRQA)) }
            Method(_DIS) { \_SB.PCI0.ISA.PRQA |= 0x80 }
            Method(_CRS) { Return (IQCR(\_SB.PCI0.ISA.PRQA)) }
            Method(_SRS, 1)
            {
                CreateDWordField(Arg0, 5, PRRI)
                \_SB.PCI0.ISA.PRQA = PRRI
            }
        }
        Device(LNKB)
        {
            Name(_HID, EisaId("PNP0C0F"))
            Name(_UID, 1)
            Name(_PRS, ResourceTemplate() {
                Interrupt(ResourceConsumer, Level, ActiveHigh, Shared) { 5, 10, 11 }
            })
            Method(_STA) { Return (IQST(\_SB.PCI0.ISA.PRQB)) }
            Method(_DIS) { \_SB.PCI0.ISA.PRQB |= 0x80 }
            Method(_CRS) { Return (IQCR(\_SB.PCI0.ISA.PRQB)) }
            Method(_SRS, 1)
            {
                CreateDWordField(Arg0, 5, PRRI)
                \_SB.PCI0.ISA.PRQB = PRRI
            }
        }
        Device(LNKC)
        {
            Name(_HID, EisaId("PNP0C0F"))
            Name(_UID, 2)
            Name(_PRS, ResourceTemplate() {
                Interrupt(ResourceConsumer, Level, ActiveHigh, Shared) { 5, 10, 11 }
            })
            Method(_STA) { Return (IQST(\_SB.PCI0.ISA.PRQC)) }
            Method(_DIS) { \_SB.PCI0.ISA.PRQC |= 0x80 }
            Method(_CRS) { Return (IQCR(\_SB.PCI0.ISA.PRQC)) }
            Method(_SRS, 1)
            {
                CreateDWordField(Arg0, 5, PRRI)
                \_SB.PCI0.ISA.PRQC = PRRI
            }
        }
        Device(LNKD)
        {
            Name(_HID, EisaId("PNP0C0F"))
            Name(_UID, 3)
            Name(_PRS, ResourceTemplate() {
                Interrupt(ResourceConsumer, Level, ActiveHigh, Shared) { 5, 10, 11 }
            })
            Method(_STA) { Return (IQST(\_SB.PCI0.ISA.PRQD)) }
            Method(_DIS) { \_SB.PCI0.ISA.PRQD |= 0x80 }
            Method(_CRS) { Return (IQCR(\_SB.PCI0.ISA.PRQD)) }
            Method(_SRS, 1)
            {
                CreateDWordField(Arg0, 5, PRRI)
                \_SB.PCI0.ISA.PRQD = PRRI
            }
        }
        Device(LNKS)
        {
            Name(_HID, EisaId("PNP0C0F"))
            Name(_UID, 4)
            Name(_PRS, ResourceTemplate() {
                Interrupt(ResourceConsumer, Level, ActiveHigh, Shared) { 9 }
            })
            Method(_STA) { Return (0x0b) }
            Method(_DIS) { }
            Method(_CRS) { Return (_PRS) }
            Method(_SRS, 1) { }
        }
    }
}
