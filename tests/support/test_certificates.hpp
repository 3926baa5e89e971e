#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace concerto::net::test {

struct Certificate {
  std::shared_ptr<X509> x509;
  std::shared_ptr<EVP_PKEY> key;

  std::string pem() const;
  std::string key_pem() const;
};

/// What a certificate says. The times are seconds from now on.
struct CertificateForm {
  std::string name;               ///< of the subject
  std::string alternative_names;  ///< e.g. `DNS:b.org,IP:127.0.0.1`; empty: none
  long serial = 2;
  long valid_from = -3600;
  long valid_until = 3600;
};

/// A self-signed authority.
Certificate make_authority(const std::string& name);

/// A server's certificate for `alternative_name`, e.g. `DNS:b.org` or `IP:127.0.0.1`.
Certificate make_server_certificate(const Certificate& authority,
                                    const std::string& alternative_name);

Certificate make_certificate(const Certificate& authority, const CertificateForm& form);

/// The authority's list of revoked certificates, as PEM.
std::string make_crl(const Certificate& authority, const std::vector<long>& serials,
                     long valid_until = 3600);

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
