#include "gateway/settings/settings.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "gateway/base/yaml.h"

namespace flora::settings {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::string_view kDataPrefix = "data:";

// At least one message of the largest size that an adapter may take.
constexpr std::int64_t kLeastAdapterMemoryMib = 64;
constexpr std::int64_t kAdapterMemoryMib = 192;

class Reader {
 public:
  Reader(const std::string& file) : file_(file) {}

  Error error(yaml::Position at, const std::string& what) const {
    return {Errc::invalid,
            file_ + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + what};
  }

  Result<void> only(const yaml::Node& node, std::initializer_list<std::string_view> keys) const {
    if (node.kind != yaml::Kind::mapping) return error(node.at, "a mapping is expected");
    for (std::size_t i = 0; i < node.members.size(); ++i) {
      if (std::ranges::find(keys, node.members[i].first) == keys.end()) {
        return error(node.member_at[i], "unknown key \"" + node.members[i].first + "\"");
      }
    }
    return {};
  }

  Result<const yaml::Node*> member(const yaml::Node& parent, std::string_view key) const {
    const yaml::Node* node = parent.find(key);
    if (node == nullptr) return error(parent.at, "\"" + std::string(key) + "\" is missing");
    return node;
  }

  Result<std::string> text(const yaml::Node& parent, std::string_view key) const {
    FLORA_ASSIGN(const yaml::Node* node, member(parent, key));
    if (node->kind != yaml::Kind::scalar || node->text.empty()) {
      return error(node->at, "a text is expected");
    }
    return node->text;
  }

  Result<bool> flag(const yaml::Node& parent, std::string_view key, bool otherwise) const {
    const yaml::Node* node = parent.find(key);
    if (node == nullptr) return otherwise;
    if (node->text != "true" && node->text != "false") {
      return error(node->at, "true or false is expected");
    }
    return node->text == "true";
  }

  Result<std::int64_t> number(const yaml::Node& parent, std::string_view key, std::int64_t low,
                              std::int64_t high) const {
    FLORA_ASSIGN(const yaml::Node* node, member(parent, key));
    std::int64_t value = 0;
    const char* const end = node->text.data() + node->text.size();
    const auto parsed = std::from_chars(node->text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end || value < low || value > high) {
      return error(node->at, "a number from " + std::to_string(low) + " to " +
                                 std::to_string(high) + " is expected");
    }
    return value;
  }

  // A path in the file: relative to the file's folder, or to the data folder behind `data:`.
  std::string resolve(const std::string& path, const std::string& data_folder) const {
    if (path.starts_with(kDataPrefix)) return data_folder + '/' + path.substr(kDataPrefix.size());
    const std::filesystem::path given(path);
    if (given.is_absolute()) return path;
    return (std::filesystem::path(file_).parent_path() / given).lexically_normal().string();
  }

  Result<Listener> listener(const yaml::Node& parent, std::string_view key,
                            const std::string& data_folder) const {
    FLORA_ASSIGN(const yaml::Node* node, member(parent, key));
    FLORA_TRY(only(*node, {"address", "port", "tls"}));
    Listener out;
    FLORA_ASSIGN(out.address, text(*node, "address"));
    FLORA_ASSIGN(const std::int64_t port, number(*node, "port", 0, 65535));
    out.port = static_cast<std::uint16_t>(port);
    const yaml::Node* tls = node->find("tls");
    if (tls == nullptr) return out;
    FLORA_TRY(only(*tls, {"certificate", "key", "client_ca", "client_certificates"}));
    Tls options;
    FLORA_ASSIGN(options.certificate_file, text(*tls, "certificate"));
    FLORA_ASSIGN(options.key_file, text(*tls, "key"));
    options.certificate_file = resolve(options.certificate_file, data_folder);
    options.key_file = resolve(options.key_file, data_folder);
    if (tls->find("client_ca") != nullptr) {
      FLORA_ASSIGN(options.client_ca_file, text(*tls, "client_ca"));
      options.client_ca_file = resolve(options.client_ca_file, data_folder);
      FLORA_ASSIGN(const std::string mode, text(*tls, "client_certificates"));
      if (mode != "optional" && mode != "required") {
        return error(tls->find("client_certificates")->at, "optional or required is expected");
      }
      options.client_certificates_required = mode == "required";
    }
    out.tls = std::move(options);
    return out;
  }

 private:
  std::string file_;
};

Result<void> read_ledger(const Reader& reader, const yaml::Node& root, Settings& settings) {
  FLORA_ASSIGN(const yaml::Node* ledger, reader.member(root, "ledger"));
  FLORA_TRY(reader.only(*ledger, {"kind", "origin", "key", "checkpoint", "channel"}));
  FLORA_ASSIGN(const std::string kind, reader.text(*ledger, "kind"));
  if (kind != "embedded") {
    return reader.error(ledger->find("kind")->at, "this build knows the ledger kind \"embedded\"");
  }
  FLORA_ASSIGN(settings.ledger_origin, reader.text(*ledger, "origin"));
  FLORA_ASSIGN(settings.ledger_key_file, reader.text(*ledger, "key"));
  FLORA_ASSIGN(settings.ledger_checkpoint_file, reader.text(*ledger, "checkpoint"));
  FLORA_ASSIGN(settings.channel, reader.text(*ledger, "channel"));
  settings.ledger_key_file = reader.resolve(settings.ledger_key_file, settings.data_folder);
  settings.ledger_checkpoint_file =
      reader.resolve(settings.ledger_checkpoint_file, settings.data_folder);
  return {};
}

Result<void> read_files(const Reader& reader, const yaml::Node& root, Settings& settings) {
  for (const auto& [key, target] : {std::pair{"mapping_secret", &settings.mapping_secret_file},
                                    std::pair{"policy", &settings.policy_file},
                                    std::pair{"statuses", &settings.statuses_file}}) {
    FLORA_ASSIGN(const std::string path, reader.text(root, key));
    *target = reader.resolve(path, settings.data_folder);
  }
  FLORA_ASSIGN(const yaml::Node* adapters, reader.member(root, "adapters"));
  if (adapters->kind != yaml::Kind::sequence) {
    return reader.error(adapters->at, "a list is expected");
  }
  for (const yaml::Node& item : adapters->items) {
    settings.adapter_folders.push_back(reader.resolve(item.text, settings.data_folder));
  }
  std::int64_t mib = kAdapterMemoryMib;
  if (root.find("adapter_memory_mib") != nullptr) {
    FLORA_ASSIGN(mib, reader.number(root, "adapter_memory_mib", kLeastAdapterMemoryMib, 65536));
  }
  settings.adapter_memory = static_cast<std::size_t>(mib) << 20;
  return {};
}

}  // namespace

// 127.0.0.0/8 and ::1; a name is none, whatever it looks like.
bool Listener::is_loopback() const {
  in_addr v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

Result<Settings> load(const std::string& file, const Overrides& overrides, Env& env) {
  FLORA_ASSIGN(const std::string text, env.read_file(file, kMaxBytes));
  FLORA_ASSIGN(const yaml::Node root, yaml::parse(text, file));
  const Reader reader(file);
  FLORA_TRY(reader.only(
      root, {"environment", "data", "listen", "workers", "authentication", "ledger",
             "mapping_secret", "policy", "statuses", "adapters", "adapter_memory_mib"}));
  Settings settings;
  FLORA_ASSIGN(settings.environment, reader.text(root, "environment"));
  FLORA_ASSIGN(const std::string data, reader.text(root, "data"));
  settings.data_folder = overrides.data_folder.value_or(reader.resolve(data, ""));

  FLORA_ASSIGN(const yaml::Node* listen, reader.member(root, "listen"));
  FLORA_TRY(reader.only(*listen, {"public", "operations"}));
  FLORA_ASSIGN(settings.listener, reader.listener(*listen, "public", settings.data_folder));
  FLORA_ASSIGN(settings.operations, reader.listener(*listen, "operations", settings.data_folder));
  settings.listener.port = overrides.port.value_or(settings.listener.port);
  settings.operations.port = overrides.operations_port.value_or(settings.operations.port);
  FLORA_ASSIGN(const std::int64_t workers, reader.number(root, "workers", 1, 64));
  settings.workers = static_cast<std::size_t>(workers);

  FLORA_ASSIGN(const yaml::Node* authentication, reader.member(root, "authentication"));
  FLORA_TRY(reader.only(*authentication, {"development_header"}));
  FLORA_ASSIGN(settings.development_header,
               reader.flag(*authentication, "development_header", false));
  if (settings.development_header && !settings.listener.is_loopback()) {
    return reader.error(authentication->at,
                        "development_header is for loopback listeners only: anyone who reaches "
                        "another address could be any authority");
  }
  FLORA_TRY(read_ledger(reader, root, settings));
  FLORA_TRY(read_files(reader, root, settings));
  return settings;
}

}  // namespace flora::settings
