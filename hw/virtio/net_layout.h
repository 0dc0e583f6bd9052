// SPDX-License-Identifier: GPL-2.0-or-later
// Numbers of the network device (OASIS Virtual I/O Device 1.2, 5.1).
#pragma once

#include "hw/virtio/features.h"
#include "rhea/util/types.h"

#include <array>

namespace rhea::hw::virtio_net {

// Feature bits.
inline constexpr unsigned kSums = 0, kGuestSums = 1, kGuestOffloads = 2, kMtu = 3, kMac = 5,
                          kGso = 6, kGuestTso4 = 7, kGuestTso6 = 8, kGuestEcn = 9, kGuestUfo = 10,
                          kHostTso4 = 11, kHostTso6 = 12, kHostEcn = 13, kHostUfo = 14,
                          kMergeable = 15, kStatus = 16, kControl = 17, kControlRx = 18,
                          kControlVlan = 19, kControlRxExtra = 20, kAnnounce = 21, kMultiQueue = 22,
                          kControlMac = 23, kSpeedDuplex = 63;
inline constexpr u64 kOffloads = virtio::bit(kGuestSums) | virtio::bit(kGuestTso4) |
                                 virtio::bit(kGuestTso6) | virtio::bit(kGuestEcn) |
                                 virtio::bit(kGuestUfo);

// The header before each frame.
inline constexpr u8 kNeedsSum = 1, kSumIsGood = 2;
inline constexpr u8 kGsoNone = 0, kGsoTcp4 = 1, kGsoUdp = 3, kGsoTcp6 = 4, kGsoEcn = 0x80;
inline constexpr std::size_t kLegacyHeader = 10, kHeader = 12, kBuffersAt = 10;

// Configuration.
inline constexpr std::size_t kMacAt = 0, kStatusAt = 6, kPairsAt = 8, kMtuAt = 10, kSpeedAt = 12,
                             kDuplexAt = 16, kConfigBytes = 17;
inline constexpr u16 kLinkUp = 1, kAnnounceNow = 2;
inline constexpr u8 kHalf = 0, kFull = 1, kUnknownDuplex = 0xff;

// Commands: class and command.
inline constexpr u8 kRxClass = 0, kMacClass = 1, kVlanClass = 2, kAnnounceClass = 3,
                    kPairsClass = 4, kOffloadsClass = 5;
inline constexpr u8 kMacTableSet = 0, kMacAddressSet = 1, kVlanAdd = 0, kVlanDelete = 1;
inline constexpr u8 kAckOk = 0, kAckError = 1;

inline constexpr std::array kFeatures{
    VirtioFeature{"csum", kSums, true, "checksums of what the guest sends; on"},
    VirtioFeature{"guest_csum", kGuestSums, true, "tell which received checksums are right; on"},
    VirtioFeature{"gso", kGso, true, "segmentation, as the oldest drivers ask for it; on"},
    VirtioFeature{"guest_tso4", kGuestTso4, true, "the guest may be given large TCP segments; on"},
    VirtioFeature{"guest_tso6", kGuestTso6, true, "the same of IPv6; on"},
    VirtioFeature{"guest_ecn", kGuestEcn, true, "the same with ECN; on"},
    VirtioFeature{"guest_ufo", kGuestUfo, true, "the guest may be given large datagrams; on"},
    VirtioFeature{"guest_announce", kAnnounce, true,
                  "ask the guest to tell the network where it is; on"},
    VirtioFeature{"host_tso4", kHostTso4, true, "cut large TCP segments of the guest's; on"},
    VirtioFeature{"host_tso6", kHostTso6, true, "the same of IPv6; on"},
    VirtioFeature{"host_ecn", kHostEcn, true, "the same with ECN; on"},
    VirtioFeature{"host_ufo", kHostUfo, true, "cut large datagrams; on"},
    VirtioFeature{"mrg_rxbuf", kMergeable, true, "a frame may take several buffers; on"},
    VirtioFeature{"status", kStatus, true, "tell the state of the link; on"},
    VirtioFeature{"ctrl_vq", kControl, true, "a queue of commands; on"},
    VirtioFeature{"ctrl_rx", kControlRx, true, "filters of addresses; on"},
    VirtioFeature{"ctrl_vlan", kControlVlan, true, "filter of VLANs; on"},
    VirtioFeature{"ctrl_rx_extra", kControlRxExtra, true, "more modes of filters; on"},
    VirtioFeature{"ctrl_mac_addr", kControlMac, true, "the address by a command; on"},
    VirtioFeature{"ctrl_guest_offloads", kGuestOffloads, true,
                  "offloads may change while it works; on"},
    VirtioFeature{"mq", kMultiQueue, false, "several pairs of queues; off"}};

}  // namespace rhea::hw::virtio_net
