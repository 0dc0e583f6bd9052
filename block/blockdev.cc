// SPDX-License-Identifier: GPL-2.0-or-later
// -blockdev: nodes by driver, and the names that lead to them.
#include "block/blockdev.h"

#include "block/drivers.h"
#include "block/node_options.h"
#include "block/raw_file.h"
#include "block/raw_format.h"

#include <algorithm>

namespace rhea::block {
namespace {

Result<std::string> take_required(KeyValues& options, std::string_view key) {
  auto value = options.take(key);
  if (!value) return fail("Parameter '{}' is missing", key);
  return std::move(*value);
}

Result<> expect_nothing_more(const KeyValues& options) {
  if (options.empty()) return {};
  return fail("Parameter '{}' is unexpected", options.all().front().first);
}

// The options of a part: "file.x" is its x.
KeyValues take_part(KeyValues& options, std::string_view part) {
  KeyValues taken;
  const std::string prefix = std::string(part) + ".";
  std::vector<std::string> keys;
  for (const auto& [key, value] : options.all())
    if (key.starts_with(prefix)) {
      taken.add(key.substr(prefix.size()), value);
      keys.push_back(key);
    }
  for (const std::string& key : keys) options.take(key);
  return taken;
}

}  // namespace

const NamedNode* NamedNodes::find(std::string_view name) const {
  const auto found = std::ranges::find(nodes_, name, &NamedNode::name);
  return found == nodes_.end() ? nullptr : &*found;
}

Result<std::string> NamedNodes::take_name(KeyValues& options, bool root) {
  const auto name = options.take("node-name");
  if (!name) {
    if (root) return fail("'node-name' must be specified for the root node");
    return new_name();
  }
  TRY(check_node_name(*machine_, *name));
  return *name;
}

Result<> NamedNodes::add(KeyValues options) {
  const std::size_t before = nodes_.size();
  auto made = make(std::move(options), true);
  if (!made) {
    nodes_.resize(before);
    return std::unexpected(std::move(made).error());
  }
  auto holder = create<BlockBackend>();
  holder->hold(made->node);
  machine_->container(BlockBackend::kLinkRoot).add_child(made->name, std::move(holder));
  nodes_.push_back(std::move(*made));
  return {};
}

Result<NamedNode> NamedNodes::make(KeyValues options, bool root) {
  const std::string driver = TRY(take_required(options, "driver"));
  TRY(check_node_driver(driver));
  const std::string name = TRY(take_name(options, root));
  NamedNode made = TRY(driver == "raw" ? make_raw(options) : make_file(driver, options));
  TRY(expect_nothing_more(options));
  made.name = name;
  made.implicit = !root;
  made.node->node_name = name;
  return made;
}

Result<NamedNode> NamedNodes::make_file(std::string_view driver, KeyValues& options) {
  ImageOptions image;
  image.filename = TRY(take_required(options, "filename"));
  TRY(take_file_options(options, {}, image));
  TRY(take_node_options(options, image));
  TRY(check_zeroes(image));
  RawFileOptions raw = raw_file_options(image);
  raw.driver = driver == "file" ? "file" : "host_device";
  raw.host_device = driver == "host_device";
  // Opened for reading until somebody comes who writes.
  if (image.auto_read_only) raw.read_only = true;
  auto file = TRY(RawFile::open(image.filename, raw));
  return NamedNode{.name = {}, .node = std::move(file), .child = {}, .implicit = false};
}

Result<std::string> NamedNodes::take_child(KeyValues& options) {
  const auto reference = options.take("file");
  KeyValues inner = take_part(options, "file");
  if (!reference) {
    if (inner.empty()) return fail("Parameter 'file' is missing");
    nodes_.push_back(TRY(make(std::move(inner), false)));
    return nodes_.back().name;
  }
  if (!inner.empty()) return fail("Parameter 'file.{}' is unexpected", inner.all().front().first);
  const NamedNode* child = find(*reference);
  if (child == nullptr) return fail("Cannot find device='{0}' nor node-name='{0}'", *reference);
  if (is_used(*child)) return fail("Node '{}' is already in use", *reference);
  return *reference;
}

Result<NamedNode> NamedNodes::make_raw(KeyValues& options) {
  ImageOptions image;
  TRY(take_node_options(options, image));
  TRY(check_zeroes(image));
  TRY(take_piece(options, image));
  const std::string child = TRY(take_child(options));
  const std::shared_ptr<BlockNode> below = find(child)->node;
  auto node = TRY(RawFormat::create(below, {.read_only = image.read_only,
                                            .discard = image.discard,
                                            .detect_zeroes = image.detect_zeroes,
                                            .offset = image.offset,
                                            .size = image.size}));
  return NamedNode{.name = {}, .node = std::move(node), .child = child, .implicit = false};
}

bool NamedNodes::is_used(const NamedNode& node) const {
  return node.at_work || std::ranges::find(nodes_, node.name, &NamedNode::child) != nodes_.end() ||
         std::ranges::any_of(drives(*machine_), [&node](const BlockBackend* drive) {
           return drive->medium() == node.node;
         });
}

Result<std::shared_ptr<BlockNode>> NamedNodes::acquire(std::string_view name, bool write) {
  const NamedNode* found = find(name);
  if (found == nullptr) return fail("Node '{}' not found", name);
  if (is_used(*found)) return fail("Node '{}' is already in use", name);
  TRY(found->node->acquire(write));
  return found->node;
}

Result<> NamedNodes::hold(std::string_view name) {
  const auto found = std::ranges::find(nodes_, name, &NamedNode::name);
  if (found == nodes_.end()) return fail("Node '{}' not found", name);
  if (is_used(*found)) return fail("Node '{}' is already in use", name);
  found->at_work = true;
  return {};
}

void NamedNodes::let_go(std::string_view name) {
  std::ranges::find(nodes_, name, &NamedNode::name)->at_work = false;
}

Result<> NamedNodes::remove(std::string_view name) {
  const NamedNode* found = find(name);
  if (found == nullptr) return fail("Failed to find node with node-name='{}'", name);
  if (found->implicit) return fail("Node {} is not owned by the monitor", name);
  if (is_used(*found)) return fail("Node {} is in use", name);
  const std::string child = found->child;
  forget(name);
  if (const NamedNode* below = find(child); below != nullptr && below->implicit) forget(child);
  return {};
}

void NamedNodes::forget(std::string_view name) {
  if (BlockBackend* holder = find_drive(*machine_, name)) remove_drive(*holder);
  std::erase_if(nodes_, [name](const NamedNode& node) { return node.name == name; });
}

}  // namespace rhea::block
