// A wire between a gateway and a PostgreSQL server that breaks at a COMMIT, on either side of it.
#pragma once

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/temporary_folder.h"

namespace flora::test {

/// Forwards the connections to the socket in one folder from a socket in another. Its own thread
/// serves all of them.
class BrokenWire {
 public:
  enum class Breaks { never, before_commit, behind_commit };

  explicit BrokenWire(const std::string& server_folder) : server_(address_in(server_folder)) {
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un own = address_in(folder_.path());
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0);
    REQUIRE(::listen(listener_, 16) == 0);
    thread_ = std::thread([this] { run(); });
  }
  ~BrokenWire() {
    stopping_ = true;
    thread_.join();
    for (const Pair& pair : pairs_) end(pair);
    ::close(listener_);
  }
  BrokenWire(const BrokenWire&) = delete;
  BrokenWire& operator=(const BrokenWire&) = delete;

  const std::string& folder() const { return folder_.path(); }

  /// Once, at the next commit.
  void break_next(Breaks breaks) { breaks_ = breaks; }
  bool has_broken() const { return breaks_ == Breaks::never; }

 private:
  struct Pair {
    int client = -1;
    int server = -1;
    bool answer_is_lost = false;
  };

  static sockaddr_un address_in(const std::string& folder) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder + "/.s.PGSQL.5432";
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
  }

  static void end(const Pair& pair) {
    ::close(pair.client);
    ::close(pair.server);
  }

  void run() {
    while (!stopping_) {
      std::vector<pollfd> waits = {{listener_, POLLIN, 0}};
      for (const Pair& pair : pairs_) {
        waits.push_back({pair.client, POLLIN, 0});
        waits.push_back({pair.server, POLLIN, 0});
      }
      if (::poll(waits.data(), waits.size(), 20) <= 0) continue;
      std::vector<Pair> left;
      for (std::size_t i = 0; i < pairs_.size(); ++i) {
        const bool asks = waits[1 + 2 * i].revents != 0;
        const bool answers = waits[2 + 2 * i].revents != 0;
        if ((!asks || forward(pairs_[i])) && (!answers || answer(pairs_[i]))) {
          left.push_back(pairs_[i]);
        } else {
          end(pairs_[i]);
        }
      }
      pairs_ = std::move(left);
      if (waits[0].revents != 0) accept();
    }
  }

  void accept() {
    Pair pair;
    pair.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    pair.server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(pair.server, reinterpret_cast<const sockaddr*>(&server_), sizeof server_) == 0) {
      pairs_.push_back(pair);
    } else {
      end(pair);
    }
  }

  // False: the pair ends.
  bool forward(Pair& pair) {
    const std::string bytes = read(pair.client);
    const bool commits = bytes.find(std::string_view("COMMIT\0", 7)) != std::string::npos;
    if (commits) {
      const Breaks breaks = breaks_.exchange(Breaks::never);
      if (breaks == Breaks::before_commit) return false;
      pair.answer_is_lost = breaks == Breaks::behind_commit;
    }
    return write(pair.server, bytes);
  }

  static bool answer(const Pair& pair) {
    const std::string bytes = read(pair.server);
    return !pair.answer_is_lost && write(pair.client, bytes);
  }

  static std::string read(int from) {
    std::array<char, 65536> buffer{};
    const ssize_t count = ::read(from, buffer.data(), buffer.size());
    return {buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
  }

  static bool write(int to, std::string_view bytes) {
    if (bytes.empty()) return false;
    while (!bytes.empty()) {
      const ssize_t count = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  TemporaryFolder folder_;
  const sockaddr_un server_;
  int listener_ = -1;
  std::vector<Pair> pairs_;
  std::atomic<Breaks> breaks_ = Breaks::never;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace flora::test
