// Any bytes as the files of an operator (settings, policy, status catalogue) and as YAML: each is
// taken, or refused with the place in its file; a tree has a JSON value.
#include <nlohmann/json.hpp>
#include <string>

#include "gateway/base/bytes.h"
#include "gateway/base/env.h"
#include "gateway/base/yaml.h"
#include "gateway/model/catalogue.h"
#include "gateway/policy/policy.h"
#include "gateway/settings/settings.h"
#include "tests/fuzz/expectations.h"

namespace {

using namespace flora;
using fuzz::require;

const std::string kFile = "file.yaml";

/// An environment in which every file has the same bytes.
class OneText final : public Env {
 public:
  explicit OneText(std::string_view text) : text_(text) {}
  std::int64_t now_ms() override { return 0; }
  std::int64_t steady_ns() override { return 0; }
  void random(std::span<std::byte>) override { std::abort(); }
  Result<std::string> read_file(const std::string&, std::size_t) override {
    return std::string(text_);
  }
  Result<void> replace_file(const std::string&, std::string_view, unsigned) override {
    std::abort();
  }

 private:
  std::string_view text_;
};

void check_refusal(const Error& error) {
  require(error.code == Errc::invalid && error.message.starts_with(kFile + ":"));
}

void check_yaml(std::string_view text) {
  const auto read = yaml::read(text);
  if (const auto* fault = std::get_if<yaml::Fault>(&read)) return require(!fault->what.empty());
  (void)yaml::to_json(std::get<yaml::Node>(read))
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check_yaml(text);
  OneText env(text);
  if (const auto read = settings::load(kFile, {}, env); !read) {
    check_refusal(read.error());
  }
  if (const auto read = policy::Policy::parse(text, kFile); !read) check_refusal(read.error());
  if (const auto read = Catalogue::parse(text, kFile); !read) check_refusal(read.error());
  return 0;
}
