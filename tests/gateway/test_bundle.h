// The bundle tests/bundles/de-ni-export in a folder of its own, to be changed, and files for it.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/temporary_folder.h"

namespace flora::test {

class TestBundle {
 public:
  TestBundle() {
    std::filesystem::copy(std::string(FLORA_SOURCE_DIR) + "/tests/bundles/de-ni-export", folder(),
                          std::filesystem::copy_options::recursive);
  }

  std::string folder() const { return parent_.file("de-ni-export"); }

  std::string read(const std::string& name) const {
    std::ifstream file(folder() + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder() + "/" + name) << text;
  }

  /// Replaces one place of adapter.yaml.
  void edit(const std::string& from, const std::string& to) const {
    std::string text = read("adapter.yaml");
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    write("adapter.yaml", text.replace(at, from.size(), to));
  }

 private:
  TemporaryFolder parent_;
};

inline constexpr const char* kExportHead = "Vorgang;D-Nummer;Status;Tag;Bemerkung\n";

/// One record of the export. Of ten, the third is rejected and the seventh skipped.
inline std::string export_record(std::size_t number) {
  const std::string n = std::to_string(number);
  const char* const day = number % 10 == 3 ? "2.11.2026" : "02.11.2026";
  const char* const note = number % 10 == 7 ? "TEST" : "";
  return "F-" + n + ";DN" + n + ";R;" + day + ";" + note + "\n";
}

inline int export_status(std::size_t number) {
  if (number % 10 == 3) return 422;
  return number % 10 == 7 ? 200 : 201;
}

inline std::string export_file(std::size_t records) {
  std::string text = kExportHead;
  for (std::size_t i = 0; i < records; ++i) text += export_record(i);
  return text + "SUMME;" + std::to_string(records) + ";;;\n";
}

}  // namespace flora::test
