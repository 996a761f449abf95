// One document over HTTPS, by libcurl.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "gateway/base/result.h"

namespace flora::auth {

/// get() is for one thread, cancel() for any.
class Download {
 public:
  struct Source {
    std::string uri;      ///< https, or http where the settings allow it.
    std::string ca_file;  ///< PEM; empty: the system's. Read again by each get().
    std::size_t most_bytes = 0;
  };

  /// Null if the library gives none.
  static std::unique_ptr<Download> make(Source source);
  ~Download();

  /// The body of a 200; redirects are not followed, no proxy is used. Blocks for `timeout` at most.
  /// Errors: unavailable, with the reason in words of ours or of the library.
  Result<std::string> get(std::chrono::milliseconds timeout);

  /// A get() under way, and all later ones, end at once.
  void cancel();

 private:
  struct Handles;
  explicit Download(std::unique_ptr<Handles> handles);
  bool wait(std::chrono::steady_clock::time_point end);

  std::unique_ptr<Handles> handles_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace flora::auth
