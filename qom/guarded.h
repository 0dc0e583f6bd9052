// SPDX-License-Identifier: GPL-2.0-or-later
// Calls of code that may come from a plug-in: what it throws becomes an error.
#pragma once

#include "rhea/util/error.h"
#include "rhea/util/option.h"

#include <exception>
#include <utility>

namespace rhea {

/// What `call` returns, a Result; an exception is one, too. Rhea's own code throws ExitRequest
/// alone, which goes on to main().
template <class Call>
auto guarded(Call&& call) -> decltype(call()) {
  try {
    return std::forward<Call>(call)();
  } catch (const ExitRequest&) {
    throw;
  } catch (const std::exception& error) {
    return fail("its code throws an exception: {}", error.what());
  } catch (...) {
    return fail("its code throws what is no exception");
  }
}

/// The same for what returns nothing.
template <class Call>
Result<> guarded_call(Call&& call) {
  return guarded([&]() -> Result<> {
    std::forward<Call>(call)();
    return {};
  });
}

}  // namespace rhea
