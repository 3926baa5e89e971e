#include "server_settings.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

#include <arpa/inet.h>

namespace concerto::persist {
namespace {

constexpr std::string_view blanks = " \t";

bool is_ipv6_address(const std::string& host) {
  const std::string address = host.substr(0, host.find('%'));  // `%eth0` is a zone
  in6_addr bytes{};
  return ::inet_pton(AF_INET6, address.c_str(), &bytes) == 1;
}

/// Whether a name server, or the system, could know the host. A path is that of a local socket.
bool is_host(const std::string& host) {
  if (host.starts_with('/')) return true;
  const auto is_foreign = [](unsigned char c) {
    constexpr std::string_view of_urls = "/:@?#[]";
    return c <= ' ' || c == 0x7f || of_urls.find(static_cast<char>(c)) != of_urls.npos;
  };
  return !host.empty() && (std::ranges::none_of(host, is_foreign) || is_ipv6_address(host));
}

Result<> check_file(const char* key, const std::string& file) {
  std::error_code unknown;  // Then the stream fails, too.
  if (file.empty()) return ok();
  if (std::ifstream(file).is_open() && !std::filesystem::is_directory(file, unknown)) return ok();
  return make_error(Errc::invalid_request,
                    "Store." + std::string(key) + ": the file '" + file + "' cannot be read");
}

}  // namespace

std::vector<std::string> hosts_of(const std::string& list) {
  std::vector<std::string> hosts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t comma = std::min(list.find(',', begin), list.size());
    const std::string_view host = std::string_view(list).substr(begin, comma - begin);
    const auto first = host.find_first_not_of(blanks);
    const auto last = host.find_last_not_of(blanks);
    hosts.emplace_back(first == host.npos ? host.substr(0, 0)
                                          : host.substr(first, last + 1 - first));
    begin = comma + 1;
  }
  return hosts;
}

Result<> check_hosts(const std::string& list) {
  for (const std::string& host : hosts_of(list)) {
    if (is_host(host)) continue;
    const std::string found = host.empty() || host == list ? "" : " in '" + list + "'";
    return make_error(Errc::invalid_request,
                      host.empty() ? "Store.Host: expected a host, or several with one comma "
                                     "between two of them, found '" +
                                         list + "'"
                                   : "Store.Host: expected the name or address of a host, without "
                                     "a port, found '" +
                                         host + "'" + found);
  }
  return ok();
}

bool is_blank(const std::string& text) noexcept {
  return text.find_first_not_of(blanks) == std::string::npos;
}

Result<> check_tls_files(const DatabaseSettings& database) {
  CONCERTO_CHECK(check_file("TlsCaFile", database.tls_ca_file));
  CONCERTO_CHECK(check_file("TlsCertFile", database.tls_cert_file));
  CONCERTO_CHECK(check_file("TlsKeyFile", database.tls_key_file));
  const bool has_certificate = !database.tls_cert_file.empty();
  if (has_certificate == !database.tls_key_file.empty()) return ok();
  return make_error(Errc::invalid_request,
                    std::string("Store.TlsCertFile and Store.TlsKeyFile belong together: ") +
                        (has_certificate ? "Store.TlsKeyFile" : "Store.TlsCertFile") +
                        " is missing, the other one is '" +
                        (has_certificate ? database.tls_cert_file : database.tls_key_file) + "'");
}

}  // namespace concerto::persist
