#pragma once

#include <openssl/x509.h>

#include <concerto/transport/peer_certificate.hpp>

namespace concerto::net {

/// Names with control characters are left out: whoever compared or logged them could be deceived.
PeerCertificate read_certificate(const X509& x509);

}  // namespace concerto::net
