#pragma once

#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ssl/context.hpp>

#include <concerto/base/error.hpp>

#include "config.hpp"

namespace concerto::tools {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// What the files of a configuration make of TLS. Shared by all shards, and replaced as a whole.
struct TlsContexts {
  TlsContext ports;     ///< of both ports; null: they speak plain text
  TlsContext branches;  ///< for calls over https, and for gRPC branches that are called over TLS
  TlsContext etcd;      ///< to the registry of MicroService.Target; null: plain text
};

/// Reads the files. The error names the section of the configuration and the file.
[[nodiscard]] Result<TlsContexts> read_tls(const Config& config);

/// The names of these files. Certificates of the system are not among them.
std::vector<std::string> tls_files(const Config& config);

/// Checks the keys of TLS, and that the files can be used.
void check_tls(const Config& config, Findings& findings);

/// What clients of the ports meet, for the log: ` over TLS, ..`. Empty for plain text.
std::string describe_tls(const Config& config, const TlsContexts& tls);

}  // namespace concerto::tools
