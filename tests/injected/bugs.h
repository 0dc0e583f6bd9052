// SPDX-License-Identifier: GPL-2.0-or-later
// The bugs that the devices of this folder have, one each.
#pragma once

#include "rhea/util/types.h"

#include <array>
#include <string_view>
#include <utility>

namespace injected {

// Of the PCI device (ring_engine.cc), then of the ISA device (latch.cc).
#define INJECTED_PCI_BUGS(X)                                   \
  X(None, "none")                                              \
  X(IndexUnbounded, "index-unbounded")                         \
  X(IndexOffByOne, "index-off-by-one")                         \
  X(LengthUnchecked, "length-unchecked")                       \
  X(FifoOverrun, "fifo-overrun")                               \
  X(LoadedIndexUnchecked, "loaded-index-unchecked")            \
  X(LoadedSizeUnchecked, "loaded-size-unchecked")              \
  X(RingWithoutBudget, "ring-without-budget")                  \
  X(ChainEndless, "chain-endless")                             \
  X(TimerOfNoDelay, "timer-of-no-delay")                       \
  X(AllocationOfGuestSize, "allocation-of-guest-size")         \
  X(QueueWithoutBound, "queue-without-bound")                  \
  X(MessagesWithoutLimit, "messages-without-limit")            \
  X(AssertionReachable, "assertion-reachable")                 \
  X(ExceptionReachable, "exception-reachable")                 \
  X(DivisionByZero, "division-by-zero")                        \
  X(RegisterNotSaved, "register-not-saved")                    \
  X(VectorNotSaved, "vector-not-saved")                        \
  X(TimerNotSaved, "timer-not-saved")                          \
  X(FlagBehindLineNotSaved, "flag-behind-line-not-saved")      \
  X(DerivedNotRemade, "derived-not-remade")                    \
  X(PostLoadRefusesItsOwn, "post-load-refuses-its-own")        \
  X(StaticState, "static-state")                               \
  X(TwoStatesOfOneName, "two-states-of-one-name")              \
  X(RegisterNotReset, "register-not-reset")                    \
  X(TimerNotReset, "timer-not-reset")                          \
  X(LineHighAtReset, "line-high-at-reset")                     \
  X(SoftResetLeavesIntx, "soft-reset-leaves-intx")             \
  X(MemberUninitialised, "member-uninitialised")               \
  X(DmaAroundTheApi, "dma-around-the-api")                     \
  X(DmaResultIgnored, "dma-result-ignored")                    \
  X(ClockOfTheHost, "clock-of-the-host")                       \
  X(TimerOfTheHost, "timer-of-the-host")                       \
  X(ChardevNotDetached, "chardev-not-detached")                \
  X(FailedRealizeLeavesThings, "failed-realize-leaves-things") \
  X(CallAfterUnplug, "call-after-unplug")                      \
  X(TimerAfterUnplug, "timer-after-unplug")                    \
  X(RegionLeftAtUnplug, "region-left-at-unplug")               \
  X(PropertyHidesBase, "property-hides-base")
#define INJECTED_ISA_BUGS(X)                       \
  X(IsaNone, "isa-none")                           \
  X(IsaRegisterNotSaved, "isa-register-not-saved") \
  X(IsaLineHighAtReset, "isa-line-high-at-reset")  \
  X(IsaLineNotRepeated, "isa-line-not-repeated")   \
  X(IsaFifoOverrun, "isa-fifo-overrun")            \
  X(IsaBaseNotUnrealized, "isa-base-not-unrealized")

enum class Bug : rhea::u8 {
#define INJECTED_NAME(name, text) name,
  INJECTED_PCI_BUGS(INJECTED_NAME) INJECTED_ISA_BUGS(INJECTED_NAME)
#undef INJECTED_NAME
};

/// The type's name: "bug-" and what it is.
constexpr std::string_view type_name(Bug bug) {
  constexpr std::array names = {
#define INJECTED_TEXT(name, text) std::string_view("bug-" text),
      INJECTED_PCI_BUGS(INJECTED_TEXT) INJECTED_ISA_BUGS(INJECTED_TEXT)
#undef INJECTED_TEXT
  };
  return names[static_cast<std::size_t>(bug)];
}

}  // namespace injected
