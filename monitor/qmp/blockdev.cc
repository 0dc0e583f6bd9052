// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: nodes made and taken away while the machine runs.
#include "block/blockdev.h"

#include "monitor/long_work.h"
#include "monitor/qmp/block.h"
#include "monitor/qmp/command.h"
#include "rhea/util/json_keyval.h"

#include <algorithm>

namespace rhea::qmp {
namespace {

block::NamedNodes& nodes(Context& context) { return context.machine.service<block::NamedNodes>(); }

Result<Json> blockdev_add(Context& context, const Json& arguments) {
  KeyValues options = TRY(keyval_from_json(to_text(arguments)));
  TRY(nodes(context).add(std::move(options)));
  return Json();
}

Result<Json> blockdev_del(Context& context, const Json& arguments) {
  TRY(nodes(context).remove(text_argument(arguments, "node-name")));
  return Json();
}

// Nodes that have names, then what lies in drives without having got one from anybody.
Result<Json> query_named_block_nodes(Context& context, const Json&) {
  Json list = Json::array();
  for (const block::NamedNode& node : nodes(context).all()) list.push_back(node_info(*node.node));
  for (const BlockBackend* drive : drives(context.machine))
    if (drive->inserted() && nodes(context).find(drive->medium()->node_name) == nullptr)
      list.push_back(node_info(*drive->medium()));
  return list;
}

/// A drive, or a node that is in none.
struct Resized {
  BlockBackend* drive{};
  std::shared_ptr<BlockNode> node{};
};

Result<Resized> find_resized(Context& context, const Json& arguments) {
  const std::string device = argument<std::string>(arguments, "device", "");
  const std::string name = argument<std::string>(arguments, "node-name", "");
  for (BlockBackend* drive : drives(context.machine)) {
    if (!device.empty() && drive->shown_name() == device) {
      if (!drive->inserted()) return fail("Device '{}' has no medium", device);
      return Resized{.drive = drive};
    }
    if (!name.empty() && drive->inserted() && drive->medium()->node_name == name)
      return Resized{.drive = drive};
  }
  const block::NamedNode* found = nodes(context).find(name);
  if (found == nullptr) return fail("Cannot find device='{}' nor node-name='{}'", device, name);
  const auto above = std::ranges::find(nodes(context).all(), name, &block::NamedNode::child);
  if (above != nodes(context).all().end())
    return fail("Node '{}' is in use by '{}': resize that", name, above->name);
  return Resized{.node = found->node};
}

Result<> check_resize(Context& context, const BlockBackend& drive) {
  if (context.machine.run_state() == RunState::SaveVm)
    return fail("Drive '{}' stays as it is while the machine is being saved", drive.shown_name());
  if (drive.read_only()) return fail("Image is read-only");
  if (!drive.may_resize())
    return fail("Drive '{}': its device '{}' does not allow it to be resized", drive.shown_name(),
                drive.device_name());
  return {};
}

// One that is in no drive, and comes into none meanwhile.
Result<Json> resize_node(Context& context, const std::shared_ptr<BlockNode>& node, u64 size) {
  block::NamedNodes& all = nodes(context);
  const std::string name = node->node_name;
  TRY(all.hold(name));
  auto resized = context.machine.service<monitor::LongWork>().start(
      node->filename(), [node, size](const std::stop_token&) -> Result<Json> {
        TRY(node->resize(size));
        return Json();
      });
  if (!resized) {
    all.let_go(name);
    return std::unexpected(std::move(resized).error());
  }
  context.later = std::make_shared<Later>();
  (*resized)->on_finish([&all, name, later = context.later](const Result<Json>& result) {
    all.let_go(name);
    later->finish(result);
  });
  return Json();
}

// The disk may take long: the client waits, and nobody else.
Result<Json> block_resize(Context& context, const Json& arguments) {
  constexpr i64 kMost = i64{0x7fff'ffff'c000'0000};
  const auto [drive, node] = TRY(find_resized(context, arguments));
  const auto size = arguments["size"].get<i64>();
  if (size < 0) return fail("Parameter 'size' expects a >0 size");
  if (size > kMost) return fail("offset({}) exceeds maximum({})", size, kMost);
  if (drive == nullptr) {
    return resize_node(context, node, static_cast<u64>(size));
  }
  TRY(check_resize(context, *drive));
  context.later = std::make_shared<Later>();
  drive->resize(static_cast<u64>(size),
                [later = context.later](const Result<>& result) { later->finish_work(result); });
  return Json();
}

const RegisterQmpCommand commands[] = {
    RegisterQmpCommand(
        {.name = "block_resize",
         .arguments = {{"device", "str", true}, {"node-name", "str", true}, {"size", "int"}},
         .run = &block_resize}),
    RegisterQmpCommand({.name = "blockdev-add",
                        .arguments = {{"driver", "str"}, {"node-name", "str", true}},
                        .open = true,
                        .run = &blockdev_add}),
    RegisterQmpCommand(
        {.name = "blockdev-del", .arguments = {{"node-name", "str"}}, .run = &blockdev_del}),
    RegisterQmpCommand({.name = "query-named-block-nodes",
                        .arguments = {{"flat", "bool", true}},
                        .returns = "[any]",
                        .run = &query_named_block_nodes}),
};

}  // namespace
}  // namespace rhea::qmp
