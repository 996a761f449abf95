// The writing half of Evaluator: from rules and rows straight to JSON text.
#include "adapters/engine/evaluator.h"
#include "adapters/engine/forms.h"
#include "adapters/engine/functions.h"
#include "gateway/base/json.h"

namespace flora::adapter {
namespace {

void write_value(const Value& value, std::string& out) {
  switch (value.type) {
    case Type::boolean:
    case Type::integer:
      out += value.text;
      break;
    case Type::code:
      out += "{\"list\":";
      json::append_string(out, value.code_list->uri);
      out += ",\"version\":";
      json::append_string(out, value.version->name);
      out += ",\"code\":";
      json::append_string(out, value.text);
      out += '}';
      break;
    default:
      json::append_string(out, value.text);
  }
}

}  // namespace

// Each of these appends its node and returns true, or appends nothing and returns false.
bool Evaluator::write(const OutputNode& node, const Scope& scope, std::string& out) {
  if (recorder_ != nullptr) return write_node(node, scope, out);  // It is told of each value.
  if (!node.fixed.empty()) {
    out += node.fixed;
    return true;
  }
  return node.kept < 0 ? write_node(node, scope, out) : write_kept(node, scope, out);
}

// Of a node that is the same for all rows of the message: made once, unless something is wrong with
// it, which each event is to say.
bool Evaluator::write_kept(const OutputNode& node, const Scope& scope, std::string& out) {
  std::optional<std::string_view>& kept = kept_[static_cast<std::size_t>(node.kept)];
  if (!kept) {
    const std::size_t before = out.size();
    const std::size_t reports_before = reports_;
    write_node(node, scope, out);
    if (reports_ != reports_before) return out.size() > before;
    kept = message_texts_.store(std::string_view(out).substr(before));
  } else {
    out += *kept;
  }
  return !kept->empty();
}

bool Evaluator::write_node(const OutputNode& node, const Scope& scope, std::string& out) {
  const std::size_t before = out.size();
  const std::size_t reports_before = reports_;
  out += node.key;
  bool written = false;
  const bool value = node.kind == OutputNode::Kind::leaf || node.kind == OutputNode::Kind::each;
  if (recorder_ != nullptr && !node.name.empty() && (value || node.needs_all)) {
    recorder_->begin_member(node.name, node.at);
  }
  switch (node.kind) {
    case OutputNode::Kind::object:
    case OutputNode::Kind::array:
      written = write_members(node, scope, out);
      break;
    case OutputNode::Kind::leaf:
      written = write_leaf(node, scope, out);
      break;
    case OutputNode::Kind::each:
      written = write_rows(node, scope, out);
      break;
  }
  if (!written) {
    out.resize(before);
    if (node.required && reports_ == reports_before) {
      report(node.missing, "The event needs `" + node.name + "`, and the message does not give it.",
             node.at, nullptr, scope);
    }
  }
  times_ += written && node.is_time;
  return written;
}

bool Evaluator::write_members(const OutputNode& node, const Scope& scope, std::string& out) {
  const bool object = node.kind == OutputNode::Kind::object;
  out += object ? '{' : '[';
  std::size_t count = 0;
  for (const OutputNode& child : node.children) {
    if (count > 0) out += ',';
    if (write(child, scope, out)) {
      ++count;
    } else if (count > 0) {
      out.pop_back();
    }
  }
  out += object ? '}' : ']';
  return node.needs_all ? count == node.children.size() : count > 0;
}

bool Evaluator::write_leaf(const OutputNode& node, const Scope& scope, std::string& out) {
  const Value value = evaluate(node.expression, scope);
  if (!value.present() || (node.only_if_true && !value.is_true())) return false;
  if (!has_form(node, value.text)) {
    report("value-malformed",
           "The value `" + shape(value.text) + "` has not the form of " + form_name(node) + ".",
           node.at, value.place, scope);
    return false;
  }
  write_value(value, out);
  return true;
}

bool Evaluator::write_rows(const OutputNode& node, const Scope& scope, std::string& out) {
  out += '[';
  std::size_t first = 0;
  const std::size_t count = rows_of(node.loop, scope, first);
  bool any = false;
  for (std::size_t i = first; i < first + count; ++i) {
    const Value value =
        evaluate(node.expression, scope.with(node.loop, walk_->rows(node.loop)[i], i));
    if (!value.present()) continue;
    if (any) out += ',';
    write_value(value, out);
    any = true;
  }
  out += ']';
  return any;
}

}  // namespace flora::adapter
