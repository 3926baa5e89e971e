#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/caller_id.hpp>
#include <concerto/protocol/route_needs.hpp>
#include <concerto/transport/peer_certificate.hpp>

namespace concerto::net {

/// What a request shows about who makes it. Nothing here is logged.
struct Credentials {
  std::string_view bearer;                       ///< the token; empty without one
  const PeerCertificate* certificate = nullptr;  ///< null without one
};

/// Somebody whom the files of callers or a signed token name.
struct NamedCaller {
  std::string name;
  RoleSet roles = {};
  WallTime until = WallTime::max();  ///< when the token expires
};

struct Caller {
  CallerId id;
  RoleSet roles = {};
};

/// What the server makes of the credentials of one request.
struct Identity {
  enum class Kind : std::uint8_t {
    known,
    no_credentials,  ///< no token, and no certificate that a file names
    wrong_token,
    too_many_wrong,  ///< too many wrong tokens came from this address; this one was not looked at
  };
  Kind kind = Kind::no_credentials;
  Caller caller;  ///< of Kind::known
};

/// The roles of a word: `client`, `viewer` or `operator`. An operator has all roles. Empty for any
/// other word.
CONCERTO_EXPORT RoleSet roles_of_word(std::string_view word) noexcept;

}  // namespace concerto::net
