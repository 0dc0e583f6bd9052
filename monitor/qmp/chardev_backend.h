// SPDX-License-Identifier: GPL-2.0-or-later
// QMP's description of a character back end, turned into -chardev's options.
#pragma once

#include "monitor/qmp/command.h"
#include "rhea/util/keyval.h"

namespace rhea::qmp {

/// `backend` fits ChardevBackend; the result has no "id". A descriptor that getfd named is taken
/// from the client.
Result<KeyValues> chardev_options(Client& client, const Json& backend);

}  // namespace rhea::qmp
