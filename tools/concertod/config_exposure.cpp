#include "config_exposure.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <sys/stat.h>

#include <concerto/protocol/site_guard.hpp>

#include "access_files.hpp"

namespace concerto::tools {
namespace {

struct GuardedFile {
  std::string_view key;
  const std::string& file;
  bool is_private = false;
};

/// Without a port and brackets. An IPv6 address has several colons.
std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  const std::size_t colon = host.find(':');
  return colon == host.rfind(':') ? host.substr(0, colon) : host;
}

/// Sockets of this machine are paths.
bool is_this_machine(std::string_view host) {
  if (host == "localhost" || host.starts_with('/')) return true;
  error_code no_address;
  const auto address = boost::asio::ip::make_address(std::string(host), no_address);
  return !no_address && address.is_loopback();
}

void check_audit_directory(const AuditConfig& audit, Findings& findings) {
  if (audit.file.empty()) return;
  const std::filesystem::path file(audit.file);
  const auto directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  int reason = 0;
  if (::access(directory.c_str(), W_OK | X_OK) != 0) reason = errno;
  if (reason == 0 && ::access(file.c_str(), F_OK) == 0 && ::access(file.c_str(), W_OK) != 0) {
    findings.errors.push_back("Audit.File: the file '" + audit.file +
                              "' cannot be written: " + std::generic_category().message(errno));
  }
  if (reason == 0) return;
  findings.errors.push_back("Audit.File: nothing can be written in '" + directory.string() +
                            "': " + std::generic_category().message(reason));
}

}  // namespace

void warn_of_open_files(const Config& config, Findings& findings) {
  const GuardedFile files[] = {{"Auth.CallersFile", config.auth.callers_file},
                               {"Auth.JwksFile", config.auth.jwks_file},
                               {"Tls.CertFile", config.tls.cert_file},
                               {"Tls.KeyFile", config.tls.key_file, true},
                               {"Tls.ClientCaFile", config.tls.client_ca_file},
                               {"Tls.ClientCrlFile", config.tls.client_crl_file},
                               {"BranchTls.CaFile", config.branch_tls.ca_file},
                               {"BranchTls.CertFile", config.branch_tls.cert_file},
                               {"BranchTls.KeyFile", config.branch_tls.key_file, true},
                               {"Store.TlsCaFile", config.store.tls_ca_file},
                               {"Store.TlsKeyFile", config.store.tls_key_file, true}};
  for (const auto& [key, file, is_private] : files) {
    struct stat state {};
    if (file.empty() || ::stat(file.c_str(), &state) != 0 || !S_ISREG(state.st_mode)) continue;
    const bool may_write = (state.st_mode & S_IWOTH) != 0;
    const bool may_read = is_private && (state.st_mode & S_IROTH) != 0;
    if (!may_write && !may_read) continue;
    findings.warnings.push_back(std::string(key) + ": everybody on this machine may " +
                                (may_write ? "change" : "read") + " the file '" + file + "'");
  }
}

void warn_of_plain_password(std::string_view key, std::string_view hosts, Findings& findings) {
  const auto all = net::host_list(hosts);
  const bool is_local = std::ranges::all_of(
      all, [](const std::string& host) { return is_this_machine(without_port(host)); });
  if (is_local) return;
  findings.warnings.push_back(std::string(key) +
                              ": the password goes in plain text to a host that is not this "
                              "machine, and everybody on the way can use it; docs/security.md "
                              "says how to use TLS");
}

void check_files(const Config& config, Findings& findings) {
  check_audit_directory(config.audit, findings);
  if (!config.auth.is_on()) return;
  if (const auto access = AccessFiles(config.auth).read(); !access) {
    findings.errors.push_back(access.error().detail);
  }
}

}  // namespace concerto::tools
