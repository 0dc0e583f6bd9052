// SPDX-License-Identifier: GPL-2.0-or-later
// A folder of the host whose files somebody may read who is not trusted with others.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/file_descriptor.h"

#include <memory>
#include <string>

namespace rhea {

/// An open folder. Any thread.
class HostFolder {
 public:
  static Result<HostFolder> open(const std::string& path);

  /// A regular file in or below it, to be read; never waits for a peer. Links are followed as long
  /// as they stay in the folder: nothing outside it is reached by any name, link or race.
  Result<FileDescriptor> open_file(const std::string& name) const;

 private:
  explicit HostFolder(FileDescriptor folder)
      : folder_(std::make_shared<const FileDescriptor>(std::move(folder))) {}
  std::shared_ptr<const FileDescriptor> folder_;
};

}  // namespace rhea
