// SPDX-License-Identifier: GPL-2.0-or-later
// The registers of Intel's gigabit cards (table 13-2 of the 8254x manual).
#include "hw/net/e1000.h"

namespace rhea::hw {

using namespace e1000;

void E1000::declare_registers(Schema<E1000>& s) {
  s.registers(&E1000::registers_, [](auto reg) {
     const auto causes = [](auto row) {
       return row.field("TXDW", kIntSent)
           .field("TXQE", kIntSendEmpty)
           .field("LSC", kIntLink)
           .field("RXDMT0", kIntReceiveLow)
           .field("RXO", kIntOverrun)
           .field("RXT0", kIntReceived)
           .field("MDAC", kIntMdio)
           .field("TXD_LOW", kIntSendLow)
           .field("SRPD", kIntSmall);
     };
     return reg.bank(
         {.name = "e1000-mmio", .size = 128 * KiB, .elsewhere = 0},
         // General
         reg("CTRL", 0x0000, &E1000::ctrl_)
             .reset(kControlReset)
             .write_by(&E1000::write_control)
             .field("SLU", kSetLinkUp)
             .field("RST", kReset)
             .field("RFCE", kReceivePauses)
             .field("VME", kVlanMode)
             .field("PHY_RST", kPhyReset),
         reg("CTRL_DUP", 0x0004, 4).read_by(&E1000::read_control).write_by(&E1000::write_control),
         reg("STATUS", 0x0008, 4)
             .read_by(&E1000::read_status)
             .field("FD", kStatusFullDuplex)
             .field("LU", kStatusLinkUp)
             .field("TXOFF", kStatusPaused),
         reg("EECD", 0x0010, &E1000::eecd_)
             .read_by(&E1000::read_eecd)
             .writable(kEepromClock | kEepromSelect | kEepromDataIn | kFlashWrite | kEepromRequest)
             .write_by(&E1000::write_eecd),
         reg("EERD", 0x0014, &E1000::eerd_)
             .write_by(&E1000::write_eerd)
             .field("START", kEepromReadStart)
             .field("DONE", kEepromReadDone)
             .field("ADDR", 0xff00)
             .field("DATA", 0xffff0000),
         reg("CTRL_EXT", 0x0018, &E1000::ctrl_ext_),
         reg("FLA", 0x001c, &E1000::flash_).writable(0x3f),
         reg("MDIC", 0x0020, &E1000::mdic_)
             .write_by(&E1000::write_mdic)
             .field("DATA", 0xffff)
             .field("REGADD", 0x1f0000)
             .field("PHYADD", 0x3e00000)
             .field("OP", 0xc000000)
             .field("R", kMdicReady)
             .field("I", kMdicInterrupt)
             .field("E", kMdicError),
         reg("FCAL", 0x0028, &E1000::fcal_), reg("FCAH", 0x002c, &E1000::fcah_).writable(0xffff),
         reg("FCT", 0x0030, &E1000::fct_).writable(0xffff),
         reg("VET", 0x0038, &E1000::vet_).writable(0xffff),
         reg("FCTTV", 0x0170, &E1000::fcttv_).writable(0xffff), reg("TXCW", 0x0178, &E1000::txcw_),
         reg("RXCW", 0x0180, &E1000::rxcw_).read_only(),
         reg("LEDCTL", 0x0e00, &E1000::ledctl_).reset(0x0706'8302),
         reg("PBA", 0x1000, &E1000::pba_).reset(0x0010'0030).writable(0xffff),
         // Interrupts
         causes(reg("ICR", 0x00c0, &E1000::icr_)
                    .bits(kIntAll)
                    .read_by(&E1000::read_causes)
                    .write_by(&E1000::clear_causes)),
         reg("ITR", 0x00c4, &E1000::itr_).writable(0xffff).write_by(&E1000::write_itr),
         causes(reg("ICS", 0x00c8, 4).read_by(&E1000::read_causes_only).write_by(&E1000::raise)),
         causes(reg("IMS", 0x00d0, &E1000::ims_).bits(kIntAll).write_by(&E1000::write_mask_set)),
         causes(reg("IMC", 0x00d8, 4).write_by(&E1000::write_mask_clear)),
         // Receiving
         reg("RCTL", 0x0100, &E1000::rctl_)
             .writable(0x7edf'b3fe)
             .after_write(&E1000::receive_control_written)
             .field("EN", kReceiveEnable)
             .field("SBP", kStoreBad)
             .field("UPE", kAllUnicast)
             .field("MPE", kAllMulticast)
             .field("LPE", kLongFrames)
             .field("LBM", kLoopback)
             .field("RDMTS", 0x300)
             .field("MO", 0x3000)
             .field("BAM", kAcceptBroadcast)
             .field("BSIZE", 0x30000)
             .field("VFE", kVlanFilter)
             .field("CFIEN", kCfiFilter)
             .field("CFI", kCfi)
             .field("DPF", kDropPauses)
             .field("PMCF", kPassControl)
             .field("BSEX", kSizeExtended)
             .field("SECRC", kStripCheck),
         reg("FCRTL", 0x2160, &E1000::fcrtl_).writable(0x8000'fff8),
         reg("FCRTH", 0x2168, &E1000::fcrth_).writable(0x8000'fff8),
         reg("RDBAL", 0x2800, &E1000::rdbal_).writable(0xffff'fff0),
         reg("RDBAH", 0x2804, &E1000::rdbah_),
         reg("RDLEN", 0x2808, &E1000::rdlen_).writable(0xf'ff80),
         reg("RDH", 0x2810, &E1000::rdh_).writable(0xffff),
         reg("RDT", 0x2818, &E1000::rdt_)
             .writable(0xffff)
             .after_write(&E1000::receive_tail_written),
         reg("RDTR", 0x2820, &E1000::rdtr_)
             .bits(0xffff)
             .writable(0x8000'ffff)
             .write_by(&E1000::write_rdtr),
         reg("RXDCTL", 0x2828, &E1000::rxdctl_).reset(0x0101'0000),
         reg("RADV", 0x282c, &E1000::radv_).writable(0xffff),
         reg("RSRPD", 0x2c00, &E1000::rsrpd_).writable(0xfff),
         reg("RXCSUM", 0x5000, &E1000::rxcsum_)
             .reset(kCheckIpv6)
             .writable(0x7ff)
             .field("PCSS", 0xff)
             .field("IPOFLD", kCheckIp)
             .field("TUOFLD", kCheckTcpUdp)
             .field("IPV6OFL", kCheckIpv6),
         reg("MTA", 0x5200, &E1000::mta_), reg("RAL", 0x5400, &E1000::ral_).stride(8),
         reg("RAH", 0x5404, &E1000::rah_).stride(8).writable(0x8003'ffff),
         reg("VFTA", 0x5600, &E1000::vfta_),
         // Sending
         reg("TCTL", 0x0400, &E1000::tctl_)
             .writable(0x03ff'fffa)
             .after_write(&E1000::send_tail_written)
             .field("EN", kSendEnable)
             .field("PSP", kPadShort),
         reg("TIPG", 0x0410, &E1000::tipg_).reset(0x0060'200a).writable(0x3fff'ffff),
         reg("TBT", 0x0448, &E1000::tbt_), reg("AIT", 0x0458, &E1000::ait_).writable(0xffff),
         reg("TXDMAC", 0x3000, &E1000::txdmac_).writable(1),
         reg("TDBAL", 0x3800, &E1000::tdbal_).writable(0xffff'fff0),
         reg("TDBAH", 0x3804, &E1000::tdbah_),
         reg("TDLEN", 0x3808, &E1000::tdlen_).writable(0xf'ff80),
         reg("TDH", 0x3810, &E1000::tdh_).writable(0xffff),
         reg("TDT", 0x3818, &E1000::tdt_).writable(0xffff).after_write(&E1000::send_tail_written),
         reg("TIDV", 0x3820, &E1000::tidv_)
             .bits(0xffff)
             .writable(0x8000'ffff)
             .write_by(&E1000::write_tidv),
         reg("TXDCTL", 0x3828, &E1000::txdctl_),
         reg("TADV", 0x382c, &E1000::tadv_).writable(0xffff),
         reg("TSPMT", 0x3830, &E1000::tspmt_).reset(0x0100'0400),
         // Statistics, each cleared by its read
         reg("STATISTICS", 0x4000, &E1000::statistics_)
             .read_only()
             .bits(~u32{0})
             .after_read(&E1000::clear_statistic)
             .help("CRCERRS to TSCTFC, in the manual's order"),
         // Wake-up, and diagnostics: kept, and nothing follows from them
         reg("RXFIFO", 0x2410, &E1000::receive_fifo_)
             .stride(8)
             .writable(0x1fff)
             .help("RDFH, RDFT, RDFHS, RDFTS, RDFPC"),
         reg("TXFIFO", 0x3410, &E1000::send_fifo_)
             .stride(8)
             .writable(0x1fff)
             .help("TDFH, TDFT, TDFHS, TDFTS, TDFPC"),
         reg("WUC", 0x5800, &E1000::wuc_).writable(0xf),
         reg("WUFC", 0x5808, &E1000::wufc_).writable(0xf'80ff),
         reg("WUS", 0x5810, &E1000::wus_).write_1_clears(0xf'00ff),
         reg("MANC", 0x5820, &E1000::manc_), reg("IPAV", 0x5838, &E1000::ipav_).writable(0x1'000f),
         reg("IP4AT", 0x5840, &E1000::ip4_).stride(8), reg("IP6AT", 0x5880, &E1000::ip6_),
         reg("WUPL", 0x5900, &E1000::wupl_).writable(0xffff),
         reg("WUPM", 0x5a00, &E1000::wake_packet_),
         reg("FFLT", 0x5f00, &E1000::filter_length_).stride(8).writable(0x7ff),
         reg("FFMT", 0x9000, &E1000::filter_mask_).stride(8).writable(0xf),
         reg("FFVT", 0x9800, &E1000::filter_value_).stride(8),
         reg.range("PBM", 0x10000, 64 * KiB, &E1000::read_packet_buffer,
                   &E1000::write_packet_buffer));
   }).bar(0);
  s.registers(&E1000::ports_, [](auto reg) {
     return reg.bank(
         {.name = "e1000-io", .size = 64, .sizes = {.min = 4, .max = 4}, .elsewhere = 0},
         reg("IOADDR", 0, &E1000::io_address_).help("of the register that IODATA is"),
         reg("IODATA", 4, 4).read_by(&E1000::read_io_data).write_by(&E1000::write_io_data));
   }).port_bar(1);
}

}  // namespace rhea::hw
