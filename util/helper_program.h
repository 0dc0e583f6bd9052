// SPDX-License-Identifier: GPL-2.0-or-later
// The programs that come with Rhea and take apart what strangers send, each in a process of its
// own: where they are, and the sockets between them and Rhea (message_socket.h).
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"

#include <string>

namespace rhea {

/// Beside Rhea where it was built (in `build_folder`, from the top), else where it is installed.
Result<std::string> find_helper(const std::string& name, const std::string& build_folder);

/// A copy whose number is none of those that a helper finds its descriptors under.
FileDescriptor out_of_the_way(int fd);

struct HelperSocket {
  FileDescriptor ours, its;  ///< `its` is out of the way
};
Result<HelperSocket> helper_socket();

}  // namespace rhea
