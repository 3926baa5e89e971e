#pragma once

#include <string>
#include <vector>

namespace concerto::net {

/// Whom a client's certificate names. The certificate was valid when the connection was made: its
/// chain, its dates, and the lists of revoked certificates.
struct PeerCertificate {
  std::string common_name;             ///< of the subject; empty if it has none or several
  std::vector<std::string> dns_names;  ///< subjectAltName, as all lists here
  std::vector<std::string> uris;
  std::vector<std::string> emails;
  std::string sha256;  ///< the fingerprint: 64 hexadecimal digits in lower case
};

}  // namespace concerto::net
