#pragma once

namespace concerto {

/// The ciphers of TLS 1.2 that every connection of a coordinator may use, in OpenSSL's names. All
/// of them need a temporary key and authenticate what they encrypt, as the ciphers of TLS 1.3 do.
/// Older versions are not used.
inline constexpr const char* ciphers_of_tls_1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// OpenSSL allocates what a peer announces for its certificates, before anybody has verified them;
/// its own limit is 100 KiB.
inline constexpr long peer_certificates_bytes_max = 32L << 10;

}  // namespace concerto
