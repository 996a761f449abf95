// Compiles the rules of one kind of message: places into a trie, rules into expressions, targets
// into an output tree.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/engine/bundle.h"
#include "adapters/engine/evaluator.h"
#include "adapters/engine/functions.h"

namespace flora::adapter {

/// The parts of adapter.yaml that hold for all messages; each may be nullptr.
struct CommonRules {
  const yaml::Node* let = nullptr;
  const yaml::Node* require = nullptr;
  const yaml::Node* reject = nullptr;
  const yaml::Node* skip = nullptr;
  const yaml::Node* event = nullptr;  ///< for_each, let, reject, skip and set of every event.
};

class MessageCompiler {
 public:
  MessageCompiler(Bundle& bundle, MessagePlan& out) : bundle_(bundle), out_(out) {}

  /// `node` has let, require, reject, skip, events and on_no_event.
  void compile(const yaml::Node& node, const CommonRules& common);

 private:
  /// Where a rule stands: the rows around it, from the message inwards.
  struct Context {
    std::array<int, Scope::kMost> loops{};
    std::array<int, Scope::kMost> nodes{};
    int depth = 1;
  };
  struct Place {
    int level = 0;
    int loop = 0;
    int node = 0;
    PathStep::Kind kind = PathStep::Kind::child;
    std::string path;
  };
  struct NamedLet {
    std::string name;
    const yaml::Node* node = nullptr;
    Context context;
    int number = -1;
    bool compiling = false;
  };
  /// The values of one event's targets, in the order of the canonical event.
  using Targets = std::vector<std::pair<std::string, const yaml::Node*>>;

  // message_compiler.cpp
  void declare_lets(const yaml::Node* node, Context& context);
  void required(const yaml::Node* node, const Context& context);
  void verdicts(const yaml::Node* node, const Context& context, bool with_detail,
                std::vector<Verdict>& out);
  void events(const yaml::Node& node, const CommonRules& common, const Context& context);
  void event(const yaml::Node& node, const CommonRules& common, Context context);
  std::optional<Path> path(const yaml::Node& node);
  bool is_column(const std::string& name);
  std::optional<Place> place(const yaml::Node& node, const Context& context);
  Place follow(const Path& path, const Context& context, const yaml::Node& node);
  int edge(int node, const PathStep& step, const yaml::Node& where);
  SlotReference slot(const Place& place, bool text);
  SlotReference part(const Place& place, const PathStep& step, const yaml::Node& where);
  int loop(const yaml::Node& path, const Context& context);
  int loop(const Place& place, const yaml::Node& path, const Context& context);
  Context inside(const Context& context, int loop) const;

  // expression_compiler.cpp; -1 after an error.
  int expression(const yaml::Node& node, const Context& context);
  int reference(const yaml::Node& node, std::string_view name, const Context& context);
  int condition(const yaml::Node& node, const Context& context);
  int source(const yaml::Node& node, const Context& context);
  int from(const yaml::Node& node, const Context& context);
  int filtered(const yaml::Node& node, const Path& path,
               std::vector<PathStep>::const_iterator filter, const Context& context);
  int coded(const yaml::Node& node, const yaml::Node& list, const Context& context);
  int coded_at(const Place& place, const yaml::Node& where, const yaml::Node& list);
  int concat(const yaml::Node& node, const Context& context);
  int first(const yaml::Node& node, const Context& context);
  int presence(const yaml::Node& node, Expression::Kind kind, const Context& context);
  int logic(const yaml::Node& node, Expression::Kind kind, const Context& context);
  int count(const yaml::Node& node, const Context& context);
  int pick(const yaml::Node& node, const Context& context);
  int comparison(const yaml::Node& node, int left, const Context& context);
  int constant(const yaml::Node& node, std::string text);
  int within(int expression);
  void modifiers(const yaml::Node& node, int expression, const Context& context);
  void calls(const yaml::Node& node, int expression, const Context& context);
  std::optional<Call> call(const yaml::Node& node, const Signature*& signature,
                           const Context& context);
  void map_argument(const yaml::Node& node, const Context& context, Call& call);
  int add(Expression e);
  Expression& at(int expression) { return out_.expressions[static_cast<std::size_t>(expression)]; }

  // output_compiler.cpp
  Targets targets(const yaml::Node* common, const yaml::Node* own);
  void output(const Targets& targets, const Context& context, yaml::Position where,
              OutputNode& out);
  OutputNode* parent_of(std::string_view target, OutputNode& root, std::string& name);
  void leaf(const std::string& target, const yaml::Node& node, const Context& context,
            OutputNode& out);
  void detail(const yaml::Node& node, const Context& context, OutputNode& out);
  void identifiers(const yaml::Node& node, const Context& context, OutputNode& out);
  void require_targets(const Targets& targets, yaml::Position where);
  void check_details(const OutputNode& event);
  void check_detail(const OutputNode& node,
                    const std::vector<const CanonicalTypes::Status*>& statuses);
  void check_constant(const yaml::Node& node, const OutputNode& out);
  void check_merge(const OutputNode& event);
  void prepare(OutputNode& node, bool of_rows);
  bool is_of_message(const OutputNode& node) const;
  bool is_of_message(int expression) const;

  // closed_words.cpp
  /// What an expression may give.
  struct Words {
    std::set<std::string> constants;
    std::set<std::string> mapped;
    bool open = false;          ///< Something of the message as well.
    bool only_statuses = true;  ///< All its maps go to status, and are checked where they are read.
  };
  void collect_words(int expression, Words& out);
  void check_words(const std::string& target, const yaml::Node& node, int expression);
  void check_detail_words(const OutputNode& node, const CanonicalTypes::Detail& detail);
  std::vector<const CanonicalTypes::Status*> statuses_of(const OutputNode& event);

  Bundle& bundle_;
  MessagePlan& out_;
  std::vector<NamedLet> lets_;
};

}  // namespace flora::adapter
