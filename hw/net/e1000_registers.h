// SPDX-License-Identifier: GPL-2.0-or-later
// Bits of the registers and descriptors of Intel's 8254x gigabit Ethernet controllers ("PCI/PCI-X
// Family of Gigabit Ethernet Controllers Software Developer's Manual", chapters 3 and 13).
#pragma once

#include "rhea/util/types.h"

namespace rhea::hw::e1000 {

// CTRL
inline constexpr u32 kFullDuplex = 1u << 0, kSetLinkUp = 1u << 6, kSpeed1000 = 2u << 8,
                     kReset = 1u << 26, kReceivePauses = 1u << 27, kVlanMode = 1u << 30,
                     kPhyReset = 1u << 31;
/// After a reset: two of the software-definable pins are high, as the EEPROM has them.
inline constexpr u32 kControlReset = 0x0014'0000 | kSpeed1000 | kSetLinkUp | kFullDuplex;

// STATUS
inline constexpr u32 kStatusFullDuplex = 1, kStatusLinkUp = 2, kStatusPaused = 0x10,
                     kStatusSpeed1000 = 0x80, kStatusDetected1000 = 0x200;

// EECD and EERD
inline constexpr u32 kEepromClock = 1, kEepromSelect = 2, kEepromDataIn = 4, kEepromDataOut = 8,
                     kFlashWrite = 0x30, kEepromRequest = 0x40, kEepromGrant = 0x80,
                     kEepromPresent = 0x100;
inline constexpr u32 kEepromReadStart = 1, kEepromReadDone = 0x10;

// MDIC
inline constexpr u32 kMdicWrite = 1, kMdicRead = 2, kMdicReady = 1u << 28,
                     kMdicInterrupt = 1u << 29, kMdicError = 1u << 30;
inline constexpr u32 kPhyAddress = 1;

// ICR, ICS, IMS, IMC
inline constexpr u32 kIntSent = 1u << 0, kIntSendEmpty = 1u << 1, kIntLink = 1u << 2,
                     kIntReceiveLow = 1u << 4, kIntOverrun = 1u << 6, kIntReceived = 1u << 7,
                     kIntMdio = 1u << 9, kIntSendLow = 1u << 15, kIntSmall = 1u << 16;
inline constexpr u32 kIntAll = 0x1ffff;

// RCTL
inline constexpr u32 kReceiveEnable = 1u << 1, kStoreBad = 1u << 2, kAllUnicast = 1u << 3,
                     kAllMulticast = 1u << 4, kLongFrames = 1u << 5, kLoopback = 3u << 6,
                     kAcceptBroadcast = 1u << 15, kVlanFilter = 1u << 18, kCfiFilter = 1u << 19,
                     kCfi = 1u << 20, kDropPauses = 1u << 22, kPassControl = 1u << 23,
                     kSizeExtended = 1u << 25, kStripCheck = 1u << 26;
// TCTL
inline constexpr u32 kSendEnable = 1u << 1, kPadShort = 1u << 3;
// RXCSUM
inline constexpr u32 kCheckIp = 0x100, kCheckTcpUdp = 0x200, kCheckIpv6 = 0x400;
// RAH
inline constexpr u32 kAddressValid = 1u << 31, kAddressOfSource = 1u << 16;
// RDTR and TIDV
inline constexpr u32 kFlushPartial = 1u << 31;

// Descriptors for sending: the second word's lower half. A report is asked for by either of two
// bits: RS, and the 82544's RPS.
inline constexpr u32 kSendEnd = 1u << 24, kSendCheckInserted = 1u << 25, kSendChecksum = 1u << 26,
                     kSendSegments = 1u << 26, kSendReport = 3u << 27, kSendExtended = 1u << 29,
                     kSendTag = 1u << 30, kSendDelay = 1u << 31;
inline constexpr u32 kContextTcp = 1u << 24, kContextIpv4 = 1u << 25;
// Its upper half.
inline constexpr u32 kSendDone = 1, kSendFailures = 0xe;
inline constexpr u8 kOptionIp = 1, kOptionTcpUdp = 2;

// Descriptors for receiving: status and errors.
inline constexpr u8 kGotDone = 1, kGotEnd = 2, kGotIgnoreSums = 4, kGotTag = 8, kGotTcpUdp = 0x20,
                    kGotIp = 0x40, kGotInexactly = 0x80;
inline constexpr u8 kBadTcpUdp = 0x20, kBadIp = 0x40;

inline constexpr std::size_t kDescriptorBytes = 16, kCheckBytes = 4, kShortest = 60;

/// Statistics by their place from 0x4000 on.
enum Statistic : u8 {
  kMissed = 4,
  kReceiveErrors = 3,
  kLengthErrors = 16,
  kXonReceived = 18,
  kXoffReceived = 20,
  kReceived64 = 23,
  kReceivedGood = 29,
  kReceivedBroadcast = 30,
  kReceivedMulticast = 31,
  kSentGood = 32,
  kReceivedOctets = 34,
  kSentOctets = 36,
  kNoBuffers = 40,
  kOversize = 43,
  kTotalReceivedOctets = 48,
  kTotalSentOctets = 50,
  kTotalReceived = 52,
  kTotalSent = 53,
  kSent64 = 54,
  kSentMulticast = 60,
  kSentBroadcast = 61,
  kSegmented = 62,
};
inline constexpr unsigned kStatistics = 64;

}  // namespace rhea::hw::e1000
