// The route table: path templates to operations. Internal to openapi.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/result.h"
#include "openapi/document.h"

namespace flora::openapi {

/// Immutable once filled. Where several templates fit a path, the one with the earlier literal
/// segment wins.
class Routes {
 public:
  /// `operation` is its index in the list that match() gets. Errors: invalid — a template that does
  /// not begin with a slash, a parameter without a declaration or the other way round, a
  /// multi-segment parameter that is not the last segment, a second operation for the same method.
  Result<void> add(const Operation& operation, std::size_t index);

  Match match(const std::vector<Operation>& operations, Listener listener, std::string_view method,
              std::string_view raw_path) const;

 private:
  struct Segment {
    std::string text;  ///< A literal, or the parameter's name.
    bool parameter = false;
    bool multi = false;
  };
  struct Route {
    std::string path;
    Listener listener = Listener::public_;
    std::vector<Segment> segments;
    std::vector<std::pair<std::string, std::size_t>> methods;
  };

  static bool before(const Route& a, const Route& b);
  static bool fits(const Route& route, const std::vector<std::string_view>& segments);
  static Match answer(const Route& route, const std::vector<Operation>& operations,
                      std::string_view method, const std::vector<std::string_view>& segments);

  std::vector<Route> routes_;
};

}  // namespace flora::openapi
