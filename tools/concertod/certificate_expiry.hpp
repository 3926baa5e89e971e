#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include <concerto/base/mutex.hpp>

#include "tls_setup.hpp"

namespace concerto::tools {

/// When a certificate that this process shows is over.
struct CertificateExpiry {
  std::string use;        ///< `server`, `branches` or `registry`
  std::int64_t at_s = 0;  ///< since 1970; of the chain, what is over first
};

/// Of the contexts that have a certificate of their own.
std::vector<CertificateExpiry> expiries_of(const TlsContexts& tls);

/// Warns 30 days, 7 days and one day before a certificate is over, and then. Thread-safe.
class CertificateWatch {
 public:
  explicit CertificateWatch(std::function<void(const std::string&)> say) : say_(std::move(say)) {}

  /// Replaces the certificates that are in use.
  void set(std::vector<CertificateExpiry> expiries);

  /// Call it now and then.
  void look(std::time_t now);

  std::vector<CertificateExpiry> expiries() const;

 private:
  struct Watched {
    CertificateExpiry expiry;
    std::size_t told = 0;  ///< so many of the warnings have come
  };

  const std::function<void(const std::string&)> say_;
  mutable Mutex mutex_;
  std::vector<Watched> watched_ CONCERTO_GUARDED_BY(mutex_);
};

}  // namespace concerto::tools
