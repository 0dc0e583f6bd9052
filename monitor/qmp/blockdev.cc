// SPDX-License-Identifier: GPL-2.0-or-later
// QMP: nodes made and taken away while the machine runs.
#include "block/blockdev.h"

#include "monitor/qmp/block.h"
#include "monitor/qmp/command.h"
#include "rhea/util/json_keyval.h"

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

const RegisterQmpCommand commands[] = {
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
