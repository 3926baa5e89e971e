#pragma once

#include <string>
#include <string_view>

#include "scenario.hpp"

namespace concerto::load {

/// The part of a request for one wire that is the same in every transaction of a scenario.
struct EncodedRequest {
  std::string target;     ///< gRPC: the method's full path; HTTP: the URL's path
  std::string after_gid;  ///< what follows the gid, see with_gid
};

EncodedRequest encode(Wire wire, const Request& request);

/// The message or body of the request for the transaction `gid`. The gid has at most 127 bytes,
/// none of which JSON would escape.
std::string with_gid(Wire wire, const EncodedRequest& request, std::string_view gid);

}  // namespace concerto::load
