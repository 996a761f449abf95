// The writing half of Evaluator: from rules and rows straight to JSON text.
#include <algorithm>

#include "adapters/engine/evaluator.h"
#include "adapters/engine/functions.h"
#include "gateway/base/json.h"
#include "gateway/model/ids.h"

namespace flora::adapter {
namespace {

// What the document asks of these members: the sender is told here, with line and column.
bool has_form(const OutputNode& node, std::string_view text) {
  const auto all_of = [](std::string_view part, auto kind) {
    return std::all_of(part.begin(), part.end(), kind);
  };
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  switch (node.form) {
    case Form::any:
      return true;
    case Form::name:
      return !text.empty() && text.size() <= 800 &&
             std::count_if(text.begin(), text.end(),
                           [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }) <=
                 200 &&
             all_of(text,
                    [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
    case Form::authority:
      return text.size() == 6 && all_of(text, [](char c) { return c >= '0' && c <= '9'; });
    case Form::site:
      return text.size() >= 2 && text.size() <= 32 && upper(text[0]) &&
             all_of(text, [&](char c) { return upper(c) || c == '_'; });
    case Form::uuid:
      return parse_uuid(text).has_value();
    case Form::identifier:
      return flora::has_form(node.identifier, text);
  }
  return false;
}

std::string form_name(const OutputNode& node) {
  switch (node.form) {
    case Form::name:
      return "a name: 1 to 200 characters and no control characters";
    case Form::authority:
      return "a Behördenkennzeichen: six digits";
    case Form::site:
      return "a site: capital letters and underscores";
    case Form::uuid:
      return "a UUID";
    default:
      return std::string(to_string(node.identifier));
  }
}

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
  const std::size_t before = out.size();
  const std::size_t issues_before = issues_.size();
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
    if (node.required && issues_.size() == issues_before) {
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
