// Databases on the PostgreSQL server that tests/postgresql.sh has started, each for one test.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gateway/base/sql.h"

namespace flora::test {

class PostgresqlServer {
 public:
  /// True if the environment names the file that the script has written.
  static bool is_given() { return std::getenv("FLORA_TEST_POSTGRESQL") != nullptr; }

  PostgresqlServer() {
    REQUIRE(is_given());
    std::ifstream file(std::getenv("FLORA_TEST_POSTGRESQL"));
    REQUIRE(std::getline(file, connection_));
    sql::Place place;
    place.server = sql::Server{connection_ + " dbname=postgres", {}};
    auto opened = sql::open(place, sql::Access::write);
    REQUIRE_MESSAGE(opened.has_value(), opened.error().message);
    administrator_ = std::move(*opened);
  }
  ~PostgresqlServer() {
    for (const std::string& name : databases_) execute("DROP DATABASE " + name + " WITH (FORCE)");
  }
  PostgresqlServer(const PostgresqlServer&) = delete;
  PostgresqlServer& operator=(const PostgresqlServer&) = delete;

  /// An empty one, which is dropped at the end.
  sql::Server create_database(const std::string& options = "ENCODING 'UTF8'") {
    std::random_device device;
    const std::string name = "t" + std::to_string(device()) + "_" + std::to_string(device());
    execute("CREATE DATABASE " + name + " TEMPLATE template0 " + options);
    databases_.push_back(name);
    return {connection_ + " dbname=" + name, {}};
  }

  void execute(const std::string& text) {
    const auto done = administrator_->execute(text);
    CHECK_MESSAGE(done.has_value(), done.error().message);
  }

  /// Ends all other connections to a database at once, in whatever they are at. Returns how many
  /// there were.
  std::int64_t end_connections(const sql::Server& server) {
    const std::string name = server.connection.substr(server.connection.find(" dbname=") + 8);
    auto ended = administrator_->prepare(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname=?::text");
    REQUIRE(ended.has_value());
    const auto row = ended->bind_text(1, name).step();
    REQUIRE_MESSAGE(row.has_value(), row.error().message);
    return ended->integer(0);
  }

 private:
  std::string connection_;
  std::unique_ptr<sql::Database> administrator_;
  std::vector<std::string> databases_;
};

}  // namespace flora::test
