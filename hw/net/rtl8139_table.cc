// SPDX-License-Identifier: GPL-2.0-or-later
// The registers of Realtek's RTL8139C+.
#include "hw/net/rtl8139.h"

namespace rhea::hw {

using namespace rtl8139;

void Rtl8139::declare_registers(Schema<Rtl8139>& s) {
  s.registers(&Rtl8139::registers_, [](auto reg) {
     const auto causes = [](auto row) {
       return row.field("ROK", kIntReceived)
           .field("RER", kIntReceiveError)
           .field("TOK", kIntSent)
           .field("TER", kIntSendError)
           .field("RXOVW", kIntOverflow)
           .field("LinkChg", kIntLink)
           .field("FOVW", kIntFifoOverflow)
           .field("TDU", kIntNothingToSend)
           .field("SWInt", kIntSoftware)
           .field("LenChg", kIntCableLength)
           .field("TimeOut", kIntTimer)
           .field("SERR", kIntSystemError);
     };
     return reg.bank(
         {.name = "rtl8139-io", .size = 256, .elsewhere = 0},
         reg("IDR", 0x00, &Rtl8139::idr_).keeps_at_reset(), reg("MAR", 0x08, &Rtl8139::mar_),
         reg("TSD", 0x10, &Rtl8139::tsd_)
             .reset(kSendOwn)
             .read_by(&Rtl8139::read_send_status)
             .write_by(&Rtl8139::write_send_status)
             .field("SIZE", kSendSize)
             .field("OWN", kSendOwn)
             .field("TUN", kSendUnderrun)
             .field("TOK", kSendOk)
             .field("ERTXTH", kSendThreshold)
             .field("TABT", kSendAborted)
             .help("in C+ mode the first two are DTCCR"),
         reg("TSAD", 0x20, &Rtl8139::tsad_).help("in C+ mode TNPDS and THPDS"),
         reg("RBSTART", 0x30, &Rtl8139::rbstart_), reg("ERBCR", 0x34, &Rtl8139::erbcr_).read_only(),
         reg("ERSR", 0x36, &Rtl8139::ersr_).read_only(),
         reg("CR", 0x37, &Rtl8139::cr_)
             .bits(kSendEnable | kReceiveEnable)
             .read_by(&Rtl8139::read_command)
             .write_by(&Rtl8139::write_command)
             .field("TE", kSendEnable)
             .field("RE", kReceiveEnable),
         reg("CAPR", 0x38, &Rtl8139::capr_).reset(0xfff0).after_write(&Rtl8139::receive_may_go_on),
         reg("CBR", 0x3a, &Rtl8139::cbr_).read_only(),
         causes(reg("IMR", 0x3c, &Rtl8139::imr_)
                    .writable(kIntAll)
                    .after_write(&Rtl8139::interrupts_changed)),
         causes(reg("ISR", 0x3e, &Rtl8139::isr_)
                    .write_1_clears(kIntAll)
                    .after_write(&Rtl8139::interrupts_changed)),
         reg("TCR", 0x40, &Rtl8139::tcr_)
             .reset(0)
             .read_by(&Rtl8139::read_tcr)
             .writable(kTcrWritable)
             .write_by(&Rtl8139::write_tcr)
             .field("CLRABT", kClearAbort)
             .field("CRC", kOwnCheck)
             .field("LBK", kLoopback),
         reg("RCR", 0x44, &Rtl8139::rcr_)
             .writable(0x0f03'ffbf)
             .after_write(&Rtl8139::receive_may_go_on)
             .field("AAP", kAllPhysical)
             .field("APM", kAcceptOwn)
             .field("AM", kAcceptMulticast)
             .field("AB", kAcceptBroadcast)
             .field("AR", kAcceptRunts)
             .field("AER", kAcceptErrors)
             .field("WRAP", kNoWrap)
             .field("RBLEN", 0x1800)
             .field("ERTH", kEarlyThreshold),
         reg("TCTR", 0x48, 4).read_by(&Rtl8139::read_timer).write_by(&Rtl8139::write_timer),
         reg("MPC", 0x4c, &Rtl8139::mpc_).bits(0xff'ffff).write_by(&Rtl8139::clear_missed),
         reg("9346CR", 0x50, &Rtl8139::eeprom_command_)
             .bits(0xce)
             .read_by(&Rtl8139::read_eeprom_command)
             .write_by(&Rtl8139::write_eeprom_command)
             .field("EEM", kModeBits)
             .field("EECS", kEepromSelect)
             .field("EESK", kEepromClock)
             .field("EEDI", kEepromDataIn),
         reg("CONFIG0", 0x51, &Rtl8139::config0_).read_only(),
         reg("CONFIG1", 0x52, &Rtl8139::config1_)
             .reset(0x0c)
             .writable(0xf3)
             .locked_while(&Rtl8139::config_locked)
             .field("MEMMAP", 0x08)
             .field("IOMAP", 0x04),
         reg("TimerInt", 0x54, &Rtl8139::timer_at_).after_write(&Rtl8139::arm_timer),
         reg("MSR", 0x58, &Rtl8139::msr_)
             .writable(kMediaWritable)
             .bits(kMediaWritable)
             .read_by(&Rtl8139::read_media),
         reg("CONFIG3", 0x59, &Rtl8139::config3_)
             .reset(0x01)
             .writable(0xf0)
             .locked_while(&Rtl8139::config_locked),
         reg("CONFIG4", 0x5a, &Rtl8139::config4_).locked_while(&Rtl8139::config_locked),
         reg("MULINT", 0x5c, &Rtl8139::mulint_).writable(0xfff),
         reg("RERID", 0x5e, 1).constant(0x10),
         reg("TSAD_SUMMARY", 0x60, 2).read_by(&Rtl8139::read_send_summary),
         // PHY
         reg("BMCR", 0x62, &Rtl8139::bmcr_)
             .reset(kPhyDefaults)
             .bits(kPhyDefaults)
             .write_by(&Rtl8139::write_bmcr)
             .field("Spd_Set", kPhyFast)
             .field("ANE", kPhyNegotiate)
             .field("Duplex", kPhyFullDuplex),
         reg("BMSR", 0x64, 2).read_by(&Rtl8139::read_bmsr),
         reg("ANAR", 0x66, &Rtl8139::anar_).reset(0x05e1).writable(0x25ff),
         reg("ANLPAR", 0x68, 2).read_by(&Rtl8139::read_partner),
         reg("ANER", 0x6a, 2).read_by(&Rtl8139::read_expansion),
         reg("DIS", 0x6c, &Rtl8139::dis_).read_only().read_clears(0xffff),
         reg("FCSC", 0x6e, &Rtl8139::fcsc_).read_only().read_clears(0xffff),
         reg("NWAYTR", 0x70, &Rtl8139::nway_test_).writable(0x80),
         reg("REC", 0x72, &Rtl8139::receive_errors_).read_only().read_clears(0xffff),
         reg("CSCR", 0x74, &Rtl8139::cscr_).reset(0x07c0).read_by(&Rtl8139::read_cscr),
         reg("PHY1_PARM", 0x78, &Rtl8139::phy1_), reg("TW_PARM", 0x7c, &Rtl8139::tw_),
         reg("PHY2_PARM", 0x80, &Rtl8139::phy2_),
         // Waking up: kept, and nothing follows from them
         reg("CRC", 0x84, &Rtl8139::wake_crc_), reg("Wakeup", 0x8c, &Rtl8139::wake_mask_),
         reg("LSBCRC", 0xcc, &Rtl8139::wake_lsb_), reg("FLASH", 0xd4, &Rtl8139::flash_),
         reg("CONFIG5", 0xd8, &Rtl8139::config5_).writable(0x7f),
         // C+ mode
         reg("TPPoll", 0xd9, 1)
             .write_by(&Rtl8139::poll)
             .field("HPQ", kPollHigh)
             .field("NPQ", kPollNormal)
             .field("FSWInt", kPollSoftware),
         reg("CPCR", 0xe0, &Rtl8139::cpcr_)
             .writable(kPlusWritable)
             .after_write(&Rtl8139::plus_written)
             .field("CPTx", kPlusSend)
             .field("CPRx", kPlusReceive)
             .field("RxChkSum", kPlusSums)
             .field("RxVLAN", kPlusUntag),
         reg("IntrMitigate", 0xe2, &Rtl8139::mitigation_).help("kept, and nothing follows from it"),
         reg("RDSAR_LOW", 0xe4, &Rtl8139::rdsar_low_).writable(0xffff'ff00),
         reg("RDSAR_HIGH", 0xe8, &Rtl8139::rdsar_high_),
         reg("ETThR", 0xec, &Rtl8139::etthr_).writable(0x3f));
   }).port_bar(0);
  s.state("dtccr-low", &Rtl8139::dtccr_low_);
  s.state("dtccr-high", &Rtl8139::dtccr_high_);
}

}  // namespace rhea::hw
