#pragma once

#include <string>
#include <string_view>

#include "scenario.hpp"

namespace concerto::load {

/// A request of a scenario for one wire, so far as it is the same in every transaction.
struct EncodedRequest {
  std::string target;     ///< gRPC: the method's full path; HTTP: the URL's path
  std::string after_gid;  ///< what follows the gid, see with_gid
};

EncodedRequest encode(Wire wire, const Request& request);

/// The message or body of a request of this transaction. The gid has at most 127 bytes, and none
/// that JSON would escape.
std::string with_gid(Wire wire, const EncodedRequest& request, std::string_view gid);

}  // namespace concerto::load
