// SPDX-License-Identifier: GPL-2.0-or-later
// The PCI types of a virtio device: the usual one, which its properties make modern, legacy or
// both; the one that is both; the modern one. What they are called, and what they are, a row says:
//
//   struct RngOnPci {
//     static constexpr std::string_view kName = "virtio-rng-pci", kHelp = "virtio entropy device";
//     static constexpr u32 kVectors = 2;
//     using Function = VirtioRng;
//   };
//   const RegisterVirtioPci<RngOnPci> registration;
//
// The row's comment is the one on the pages of all three.
#pragma once

#include "hw/virtio/virtio_pci.h"

#include <algorithm>
#include <array>

namespace rhea::hw {

/// What follows a row's name in the name of a type of its, and its help in the help.
struct VirtioPciEnding {
  VirtioInterfaces interfaces{};
  std::string_view name, help;
};
inline constexpr VirtioPciEnding kUsualVirtio{VirtioInterfaces::AsAsked, "", ""},
    kTransitionalVirtio{VirtioInterfaces::Transitional, "-transitional",
                        " for old and new drivers"},
    kModernVirtio{VirtioInterfaces::ModernOnly, "-non-transitional", " for new drivers"};

template <const std::string_view& Start, const std::string_view& End>
struct JoinedText {
  static constexpr std::array kText = [] {
    std::array<char, Start.size() + End.size()> text{};
    std::ranges::copy(End, std::ranges::copy(Start, text.begin()).out);
    return text;
  }();
  static constexpr std::string_view kView{kText.data(), kText.size()};
};

template <class Row>
class VirtioPciBase : public VirtioPci, public Row::Function {
  static constexpr std::string_view kEnd = "-base";

 public:
  static constexpr std::string_view kName = JoinedText<Row::kName, kEnd>::kView;
  using Extendable = VirtioPciBase;
  static void describe(Schema<VirtioPciBase>& s) {
    s.help(Row::kHelp);
    Row::Function::declare(s);
  }

 protected:
  explicit VirtioPciBase(VirtioInterfaces interfaces)
      : VirtioPci(*this, Row::kVectors, interfaces) {}
};

template <class Row, const VirtioPciEnding& Ending>
class VirtioPciType final : public VirtioPciBase<Row> {
 public:
  static constexpr std::string_view kName = JoinedText<Row::kName, Ending.name>::kView;
  static void describe(Schema<VirtioPciType>& s) {
    s.help(JoinedText<Row::kHelp, Ending.help>::kView);
  }
  VirtioPciType() : VirtioPciBase<Row>(Ending.interfaces) {}
};

/// Of devices that no legacy driver knows there is the usual type alone.
template <class Row>
struct RegisterOneVirtioPci {
  RegisterAbstractType<VirtioPciBase<Row>, VirtioPci> base;
  RegisterType<VirtioPciType<Row, kUsualVirtio>> usual;
};
template <class Row>
struct RegisterVirtioPci : RegisterOneVirtioPci<Row> {
  RegisterType<VirtioPciType<Row, kTransitionalVirtio>> transitional;
  RegisterType<VirtioPciType<Row, kModernVirtio>> modern;
};

}  // namespace rhea::hw
