// SPDX-License-Identifier: GPL-2.0-or-later
// -accel tcg and its parameters.
#include "accel/icount.h"
#include "accel/jit/vm.h"

namespace rhea::jit {
namespace {

/// The name and the parameters are QEMU's, so that command lines fit.
class TcgAccelerator final : public accel::Accelerator {
 public:
  static constexpr std::string_view kName = "tcg-accel";
  static void describe(Schema<TcgAccelerator>& s) {
    s.help("the software CPU: needs nothing of the host");
    s.computed(
         "thread", "single|multi", [](const TcgAccelerator& tcg) { return Value(tcg.thread_); },
         [](TcgAccelerator& tcg, const Value& value) -> Result<> {
           const std::string text = to_text(value);
           if (text != "single" && text != "multi")
             return fail("Invalid 'thread' setting {}", text);
           tcg.thread_ = text;
           return {};
         })
        .help("accepted for QEMU's sake: there is always a host thread a processor");
    s.property("split-wx", &TcgAccelerator::split_, true)
        .help("accepted for QEMU's sake: code is always run at another address than it is written");
    s.property("translate", &TcgAccelerator::translate_, true)
        .help("translate the guest's code to host code; off: interpret it, which is slower");
    s.property("x-verify", &TcgAccelerator::verify_, false)
        .help("interpret translated blocks, too, and log where they differ: slow, for debugging");
    s.property("tb-size", &TcgAccelerator::megabytes_, u32{0})
        .range(0, 16384)
        .help("MiB of host code, all processors' together; 0: 16 for each");
  }

  std::string_view short_name() const override { return "tcg"; }
  Result<std::unique_ptr<accel::VmBackend>> create_vm(Machine& machine) override {
    if (thread_ == "multi" && machine.service<accel::InstructionCount>().settings)
      return fail("tcg,thread=multi: No MTTCG when icount is enabled");
    return std::make_unique<Vm>(machine, translate_, megabytes_ * MiB, verify_);
  }

 private:
  std::string thread_;  ///< when asked for
  bool split_{true}, translate_{true}, verify_{};
  u32 megabytes_{};
};

const RegisterType<TcgAccelerator> registration;

}  // namespace
}  // namespace rhea::jit
