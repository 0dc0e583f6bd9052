// SPDX-License-Identifier: GPL-2.0-or-later
// Processor models by QMP, and processors as objects.
#include "tests/monitor/fixture.h"

#include <algorithm>

namespace rhea::test {
namespace {

using qmp::Json;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class CpuModelTest : public MonitorTest {
 protected:
  Json definition(std::string_view name) {
    const Json all = returned(R"({"execute":"query-cpu-definitions"})");
    const auto it = std::ranges::find_if(all, [&](const Json& d) { return d["name"] == name; });
    return it == all.end() ? Json() : *it;
  }
  std::string expansion(std::string_view type, std::string_view model) {
    return fmt::format(
        R"({{"execute":"query-cpu-model-expansion","arguments":{{"type":"{}","model":{}}}}})", type,
        model);
  }
  Json expanded(std::string_view type, std::string_view model) {
    return returned(expansion(type, model))["model"];
  }
};

TEST_F(CpuModelTest, models_are_defined) {
  EXPECT_EQ(definition("qemu64-v1"), (Json{{"name", "qemu64-v1"},
                                           {"typename", "qemu64-v1-x86_64-cpu"},
                                           {"unavailable-features", {"svm"}},
                                           {"static", false},
                                           {"migration-safe", true},
                                           {"deprecated", false}}));
  EXPECT_EQ(definition("Haswell")["alias-of"], "Haswell-v1");
  EXPECT_THAT(definition("Haswell")["unavailable-features"], Contains("rtm"));
  EXPECT_EQ(definition("base")["static"], true);
  EXPECT_EQ(definition("max")["migration-safe"], false);
}

TEST_F(CpuModelTest, models_are_expanded) {
  const Json bare = expanded("static", R"({"name":"qemu64"})");
  EXPECT_EQ(bare["name"], "base");
  EXPECT_EQ(bare["props"]["pni"], true);
  EXPECT_EQ(bare["props"]["svm"], false);
  EXPECT_EQ(bare["props"]["vendor"], "AuthenticAMD");
  EXPECT_EQ(bare["props"]["family"], 15);
  const Json whole =
      expanded("full", R"({"name":"qemu64","props":{"pni":false,"model-id":"a,b"}})");
  EXPECT_EQ(whole["name"], "qemu64");
  EXPECT_EQ(whole["props"]["pni"], false);
  EXPECT_EQ(whole["props"]["level"], 13);
  EXPECT_EQ(whole["props"]["model-id"], "a,b");
}

TEST_F(CpuModelTest, what_cannot_migrate_is_left_out_unless_it_is_asked_for) {
  EXPECT_EQ(expanded("static", R"({"name":"max"})")["props"]["invtsc"], false);
  EXPECT_EQ(expanded("static", R"({"name":"max","props":{"migratable":false}})")["props"]["invtsc"],
            true);
  EXPECT_EQ(expanded("full", R"({"name":"max"})")["props"]["migratable"], true);
  EXPECT_EQ(
      expanded("full", R"({"name":"host","props":{"migratable":false}})")["props"]["migratable"],
      false);
  EXPECT_FALSE(expanded("full", R"({"name":"qemu64"})")["props"].contains("migratable"));
  const Json properties =
      returned(R"({"execute":"qom-list-properties","arguments":{"typename":"max-x86_64-cpu"}})");
  EXPECT_THAT(properties, Contains(Json{{"name", "migratable"},
                                        {"type", "bool"},
                                        {"description",
                                         "no feature that another host may not have, "
                                         "unless it was asked for by name"}}));
}

TEST_F(CpuModelTest, expansion_errors) {
  EXPECT_EQ(error(expansion("full", R"({"name":"nix"})")),
            "GenericError: CPU model 'nix' not found");
  EXPECT_EQ(error(expansion("full", R"({"name":"max,+avx"})")),
            "GenericError: CPU model 'max,+avx' not found");
  EXPECT_THAT(error(expansion("full", R"({"name":"max","props":{"nix":true}})")),
              HasSubstr("'nix'"));
  EXPECT_EQ(error(expansion("full", R"({"name":"max","props":{"avx":"maybe"}})")),
            "GenericError: Invalid parameter type for 'avx', expected: boolean");
  EXPECT_EQ(error(expansion("full", R"({"name":"max","props":3})")),
            "GenericError: Invalid parameter type for 'model.props', expected: dict");
  EXPECT_EQ(error(expansion("whole", R"({"name":"max"})")),
            "GenericError: Parameter 'type' does not accept value 'whole'");
}

TEST_F(CpuModelTest, every_model_is_a_type) {
  const Json types =
      returned(R"({"execute":"qom-list-types","arguments":{"implements":"x86_64-cpu"}})");
  EXPECT_THAT(types, Contains(Json{{"name", "max-x86_64-cpu"}, {"parent", "x86_64-cpu"}}));
  EXPECT_THAT(types, Contains(Json{{"name", "Haswell-v4-x86_64-cpu"}, {"parent", "x86_64-cpu"}}));
  const Json properties =
      returned(R"({"execute":"qom-list-properties","arguments":{"typename":"max-x86_64-cpu"}})");
  EXPECT_THAT(properties.dump(), HasSubstr("unavailable-features"));
  EXPECT_THAT(properties, Contains(Json{{"name", "avx2"}, {"type", "bool"}}));
}

TEST_F(CpuModelTest, processors_tell_of_their_features) {
  add_fake_cpus(machine(), 1);
  const auto get = [this](std::string_view property) {
    return returned(fmt::format(
        R"({{"execute":"qom-get","arguments":{{"path":"/machine/unattached/device[0]","property":"{}"}}}})",
        property));
  };
  EXPECT_EQ(get("type"), "qemu64-x86_64-cpu");
  EXPECT_EQ(get("fpu"), true);
  EXPECT_EQ(get("rtm"), false);
  EXPECT_EQ(get("unavailable-features"), Json::array({"svm"}));
  EXPECT_THAT(hmp("info qtree"), Not(HasSubstr("x86_64-cpu")));
}

}  // namespace
}  // namespace rhea::test
