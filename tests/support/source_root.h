// SPDX-License-Identifier: GPL-2.0-or-later
// Where the sources lie, for tests that read files of theirs.
#pragma once

#include <filesystem>

namespace rhea::test {

std::filesystem::path source_root();

}  // namespace rhea::test
