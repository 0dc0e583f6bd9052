// SPDX-License-Identifier: GPL-2.0-or-later
// How a machine ends.
#include "rhea/softmmu/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rhea {
namespace {

using testing::ElementsAre;

/// Notes what happens to it.
class Witness : public MachineService {
 public:
  ~Witness() override { note("dies"); }
  void shutdown() override { note("shuts down"); }
  void objects_gone() override { note("lets go"); }
  void keep(std::vector<std::string>& events, std::string name) {
    events_ = &events;
    name_ = std::move(name);
  }

 private:
  void note(const char* what) { events_->push_back(name_ + ' ' + what); }
  std::vector<std::string>* events_{};
  std::string name_;
};

struct Older final : Witness {
  explicit Older(Machine&) {}
};
struct Younger final : Witness {
  explicit Younger(Machine&) {}
};

TEST(MachineEnd, AllServicesLetGoOfEachOtherBeforeOneDies) {
  std::vector<std::string> events;
  {
    Machine machine;
    machine.service<Older>().keep(events, "older");
    machine.service<Younger>().keep(events, "younger");
  }
  EXPECT_THAT(events, ElementsAre("younger shuts down", "older shuts down", "younger lets go",
                                  "older lets go", "younger dies", "older dies"));
}

}  // namespace
}  // namespace rhea
