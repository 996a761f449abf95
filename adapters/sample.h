// What can be seen in one message of a sender before anything is known of its format: its places
// and the shapes of their values, for the author of a new bundle. No value stands in it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/result.h"

namespace flora::adapter {

struct SamplePlace {
  std::string place;      ///< As a rule names it, seen from the message; of a list, its items.
  std::size_t count = 0;  ///< How often it occurs.
  std::string shape;      ///< Of its first value that is not empty; empty: it holds others.
};

struct Sample {
  std::string format;              ///< xml, soap, json, csv or fixed.
  std::vector<std::string> input;  ///< The lines of `input` in adapter.yaml, but for the format.
  std::vector<std::pair<std::string, std::string>> spaces;  ///< Prefix and URI, in order.
  std::string root;                 ///< The root element as adapter.yaml names it; xml and soap.
  std::vector<SamplePlace> places;  ///< In the order of the message.
};

/// xml, soap, json, csv or fixed, by the look of a message.
std::string guess_format(std::string_view message);

/// Errors: invalid, with line and column, if the message is not well-formed; not_found if there is
/// no such format.
Result<Sample> describe_sample(std::string_view format, std::string_view message);

}  // namespace flora::adapter
