#include "certificate_expiry.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include <openssl/ssl.h>

namespace concerto::tools {
namespace {

constexpr std::int64_t day_s = 24 * 60 * 60;
constexpr std::array<std::int64_t, 4> warned_s{30 * day_s, 7 * day_s, day_s, 0};

std::int64_t end_of(const X509* certificate) {
  std::tm parts{};
  ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts);
  return ::timegm(&parts);
}

/// Nothing if the context has no certificate of its own.
std::optional<std::int64_t> end_of(const TlsContext& tls) {
  if (!tls) return std::nullopt;
  SSL_CTX* const context = tls->native_handle();
  const X509* const own = SSL_CTX_get0_certificate(context);
  if (own == nullptr) return std::nullopt;
  std::int64_t end = end_of(own);
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(context, &chain);
  for (int i = 0; i < sk_X509_num(chain); ++i) end = std::min(end, end_of(sk_X509_value(chain, i)));
  return end;
}

std::string_view name_of(std::string_view use) {
  if (use == "server") return "the ports (Tls.CertFile)";
  if (use == "branches") return "calls to branches (BranchTls.CertFile)";
  return "calls to the registry (MicroService.Target)";
}

std::string warning(const CertificateExpiry& expiry, std::int64_t now) {
  std::string text = "the certificate of " + std::string(name_of(expiry.use));
  const std::int64_t left = expiry.at_s - now;
  if (left <= 0) return text + " has expired";
  const std::int64_t days = left / day_s;
  return text + " expires in " +
         (days > 1 ? std::to_string(days) + " days" : std::to_string(left / 3600) + " hours");
}

}  // namespace

std::vector<CertificateExpiry> expiries_of(const TlsContexts& tls) {
  std::vector<CertificateExpiry> expiries;
  const auto add = [&expiries](std::string use, const TlsContext& context) {
    if (const auto end = end_of(context)) expiries.push_back({std::move(use), *end});
  };
  add("server", tls.ports);
  add("branches", tls.branches);
  add("registry", tls.etcd);
  return expiries;
}

void CertificateWatch::set(std::vector<CertificateExpiry> expiries) {
  const MutexLock lock{mutex_};
  const std::vector<Watched> before = std::exchange(watched_, {});
  for (CertificateExpiry& expiry : expiries) {
    const auto same = std::ranges::find_if(before, [&](const Watched& each) {
      return each.expiry.use == expiry.use && each.expiry.at_s == expiry.at_s;
    });
    const std::size_t told = same == before.end() ? 0 : same->told;
    watched_.push_back({std::move(expiry), told});
  }
}

void CertificateWatch::look(std::time_t now) {
  std::vector<std::string> lines;
  {
    const MutexLock lock{mutex_};
    for (Watched& each : watched_) {
      const std::size_t told = each.told;
      while (each.told < warned_s.size() && each.expiry.at_s - now <= warned_s[each.told]) {
        ++each.told;
      }
      if (each.told > told) lines.push_back(warning(each.expiry, now));
    }
  }
  for (const std::string& line : lines) say_(line);
}

std::vector<CertificateExpiry> CertificateWatch::expiries() const {
  const MutexLock lock{mutex_};
  std::vector<CertificateExpiry> expiries;
  for (const Watched& each : watched_) expiries.push_back(each.expiry);
  return expiries;
}

}  // namespace concerto::tools
