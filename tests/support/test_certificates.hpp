#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace concerto::net::test {

struct Certificate {
  std::shared_ptr<X509> x509;
  std::shared_ptr<EVP_PKEY> key;

  std::string pem() const;
  std::string key_pem() const;
};

/// A self-signed authority.
Certificate make_authority(const std::string& name);

/// A server's certificate for `alternative_name`, e.g. `DNS:b.org` or `IP:127.0.0.1`.
Certificate make_server_certificate(const Certificate& authority,
                                    const std::string& alternative_name);

/// A file for one test. The destructor removes it.
class PemFile {
 public:
  explicit PemFile(const std::string& text);
  ~PemFile();
  PemFile(const PemFile&) = delete;
  PemFile& operator=(const PemFile&) = delete;

  const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

}  // namespace concerto::net::test
