// SPDX-License-Identifier: GPL-2.0-or-later
// A plug-in is loaded in a process of its own first, so that one that crashes, hangs or ends the
// program does so there.
#pragma once

#include "rhea/util/error.h"

#include <stop_token>
#include <string>

namespace rhea {

/// Starts this program once more to load `path` and make an object of each of its types, and waits
/// for its verdict, ten seconds at most, or until it is asked to stop. Errors are one line that
/// begins with the file's name. From any thread, without locks: it waits.
Result<> try_plugin(const std::string& path, const std::stop_token& stop = {});

/// Whether this process is such a trial.
bool is_plugin_trial();
/// In the trial: does it, tells the verdict and ends the process.
[[noreturn]] void run_plugin_trial(const std::string& path);

}  // namespace rhea
