// SPDX-License-Identifier: GPL-2.0-or-later
// -object filter-dump: the frames of a back end, both directions, in a file that tcpdump reads.
#include "net/backend.h"
#include "net/pcap_file.h"
#include "rhea/qom/registry.h"
#include "rhea/qom/user_object.h"
#include "rhea/util/log.h"

namespace rhea::net {
namespace {

class FilterDump final : public UserObject, public FrameFilter {
 public:
  static constexpr std::string_view kName = "filter-dump";

  static void describe(Schema<FilterDump>& s) {
    s.help("writes the frames of a network back end to a file, for tcpdump and its like");
    s.property("netdev", &FilterDump::netdev_id_, "").help("the back end's id (-netdev)");
    s.property("file", &FilterDump::path_, "").help("the file, which is made anew");
    s.property("maxlen", &FilterDump::longest_, 65536).help("bytes of a frame that are kept");
    s.property("queue", &FilterDump::queue_, "all").help("all, rx (to the guest) or tx");
    s.property("status", &FilterDump::status_, "on").help("off: nothing is written");
  }

  ~FilterDump() override {
    if (in_machine()) machine().service<WaitingFilters>().forget(*this);
    if (netdev_ != nullptr) netdev_->remove_filter(*this);
  }

  void see(Direction direction, Frame frame) override {
    const bool to_guest = direction == Direction::ToGuest;
    if (status_ != "on" || queue_ == (to_guest ? "tx" : "rx")) return;
    file_->write(frame);
  }
  void gone() override { netdev_ = nullptr; }

 protected:
  Result<> complete() override {
    if (netdev_id_.empty()) return fail("Parameter 'netdev' is missing");
    if (path_.empty()) return fail("dump filter needs 'file' property set!");
    if (longest_ == 0) return fail("maxlen: 0 bytes of each frame are none");
    if (queue_ != "all" && queue_ != "rx" && queue_ != "tx")
      return fail("queue: '{}' is none of all, rx and tx", queue_);
    if (status_ != "on" && status_ != "off")
      return fail("status: '{}' is neither on nor off", status_);
    file_ = TRY(PcapFile::create(path_, longest_, machine().service<Ending>()));
    return machine().service<WaitingFilters>().add(netdev_id_, *this, [this](Netdev& netdev) {
      netdev_ = &netdev;
      netdev.add_filter(*this);
    });
  }

 private:
  std::string netdev_id_, path_, queue_, status_;
  u32 longest_{};
  std::unique_ptr<PcapFile> file_;
  Netdev* netdev_{};
};

const RegisterType<FilterDump> registration;

}  // namespace
}  // namespace rhea::net
