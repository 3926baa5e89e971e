#pragma once

#include <boost/json/parse_options.hpp>

namespace concerto::net {

/// Boost.JSON's default of 32 levels is less than payloads may have.
inline boost::json::parse_options json_parse_options() {
  boost::json::parse_options options;
  options.max_depth = 512;
  return options;
}

}  // namespace concerto::net
