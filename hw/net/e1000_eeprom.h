// SPDX-License-Identifier: GPL-2.0-or-later
// What stands in the EEPROM beside Intel's gigabit cards (chapter 5 of the 8254x manual).
#pragma once

#include "hw/net/eeprom_93c46.h"
#include "rhea/net/mac_address.h"

namespace rhea::hw {

/// As it leaves the factory, with a checksum that is right.
void program_e1000(Eeprom93c46& eeprom, const MacAddress& mac, u16 device_id);
MacAddress mac_of_e1000(const Eeprom93c46& eeprom);

}  // namespace rhea::hw
