#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>
#include <concerto/protocol/grpc_url.hpp>

namespace boost::asio::ssl {
class context;
}

namespace concerto::net {

/// How to connect to the etcd that listens on these hosts.
struct EtcdAccess {
  std::string hosts;  ///< `h1:2379,h2:2379`
  std::string user;   ///< empty: no authentication
  std::string password;
  std::shared_ptr<boost::asio::ssl::context> tls;  ///< null: in plain text
};

/// How the coordinator registers in etcd (protocol page 06, section 4.2).
struct RegistrationPlan {
  EtcdAccess access;
  std::string key;       ///< the coordinator's key is `<key>/<lease id>`
  std::string endpoint;  ///< the value of the key, written unchanged
};

/// Checks the configuration's MicroService.{Driver, Target, EndPoint}, and reads the files that the
/// target names for TLS. Returns nothing if there is nothing to register. An error names the key
/// and what is wrong with it; the caller should then refuse to start.
[[nodiscard]] CONCERTO_EXPORT Result<std::optional<RegistrationPlan>> parse_registration(
    Driver driver, std::string_view target, std::string_view endpoint);

}  // namespace concerto::net
