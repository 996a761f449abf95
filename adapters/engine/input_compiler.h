// Compiles `input` and `errors` of a bundle: what a message looks like before any rule reads it.
#pragma once

#include <memory>

#include "adapters/engine/bundle.h"

namespace flora::adapter {

class InputCompiler {
 public:
  explicit InputCompiler(Bundle& bundle) : bundle_(bundle), plan_(bundle.plan) {}

  /// nullptr if there is no such format.
  std::unique_ptr<Format> input(const yaml::Node& node);
  void errors(const yaml::Node& node);

 private:
  void charset(const yaml::Node& node);
  void limits(const yaml::Node& node);
  void csv(const yaml::Node& node);
  void csv_footer(const yaml::Node& node);
  char ascii(const yaml::Node& node);
  std::string as_in_file(const yaml::Node& node, const std::string& text);
  int column(const yaml::Node& node);
  void fixed(const yaml::Node& node);
  void fixed_field(const std::string& name, const yaml::Node& node);
  FixedInput::Field cut(const yaml::Node& node);
  void fixed_footer(const yaml::Node& node);

  Bundle& bundle_;
  Plan& plan_;
};

}  // namespace flora::adapter
