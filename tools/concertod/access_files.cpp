#include "access_files.hpp"

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "client_setup.hpp"
#include "listen_address.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{1} << 20;

Error cannot_read(const std::string& file, const std::string& why) {
  return make_error(Errc::invalid_request, "cannot read '" + file + "': " + why);
}

Result<std::string> read_file(const std::string& file) {
  errno = 0;
  std::ifstream input{file, std::ios::binary};
  std::string text(file_bytes_max + 1, '\0');
  if (!input || !input.read(text.data(), static_cast<std::streamsize>(text.size())).eof()) {
    const int reason = errno;
    if (input) return cannot_read(file, "it has more than 1 MiB");
    return cannot_read(file, std::generic_category().message(reason));
  }
  text.resize(static_cast<std::size_t>(input.gcount()));
  return text;
}

/// Whether this machine alone reaches the address. One that cannot be read is reported elsewhere.
bool is_local(const std::string& listen_address) {
  const auto address = parse_listen_address(listen_address);
  return address && *address && (*address)->is_loopback();
}

/// The key that says where the admin port is.
std::string key_of_admin_address(const Config& config) {
  return config.admin.listen_address.empty() ? "ListenAddress" : "Admin.ListenAddress";
}

}  // namespace

std::optional<net::RouteRole> role_for(std::string_view who) noexcept {
  if (who == "nobody") return std::nullopt;
  return who == "anyone" ? net::RouteRole::anyone : net::RouteRole::viewers;
}

std::vector<std::string> open_doors(const Config& config) {
  std::vector<std::string> warnings;
  const bool serves_others = !is_local(config.listen_address);
  const bool has_admin_port = config.admin.port != 0 && !is_local(admin_address(config));
  if (!serves_others && !has_admin_port) return warnings;
  std::string where;  // of the ports that others reach
  if (serves_others) where = "HttpPort and GrpcPort";
  if (has_admin_port) where += where.empty() ? "Admin.Port" : ", and Admin.Port";
  if (config.auth.is_on() && config.tls.cert_file.empty()) {
    warnings.push_back(
        "tokens come in plain text, and everybody on the way can use them: Tls.CertFile is not "
        "set, and more than this machine reaches " +
        where + " (docs/security.md)");
  }
  if (config.auth.is_on() || config.tls.client_auth == "required") return warnings;
  constexpr std::string_view why =
      ": neither Auth.CallersFile nor Auth.JwksFile is set, Tls.ClientAuth is not 'required', and ";
  if (serves_others) {
    warnings.push_back(
        "everybody who reaches the ports may submit, read and force-stop transactions" +
        std::string(why) +
        "ListenAddress is not this machine alone; docs/security.md says how to close the ports");
  }
  if (has_admin_port) {
    warnings.push_back("everybody who reaches Admin.Port, " + std::to_string(config.admin.port) +
                       ", may do everything that operators may" + std::string(why) +
                       key_of_admin_address(config) +
                       " is not this machine alone; docs/security.md says how to close the port");
  }
  return warnings;
}

AccessFiles::AccessFiles(AuthConfig auth)
    : auth_(std::move(auth)), files_{auth_.callers_file, auth_.jwks_file} {}

Result<std::shared_ptr<const net::AccessRules>> AccessFiles::read() {
  // Before the reading, so that no later change is missed.
  watch_ = FileWatch{stamps_of(files_)};
  auto rules = read_now();
  if (!rules) watch_.failed();
  return rules;
}

Result<std::shared_ptr<const net::AccessRules>> AccessFiles::read_now() const {
  net::AccessTexts texts;
  std::string files;
  for (const auto& [file, text] :
       {std::pair{&auth_.callers_file, &texts.callers}, std::pair{&auth_.jwks_file, &texts.jwks}}) {
    if (file->empty()) continue;
    CONCERTO_TRY(*text, read_file(*file));
    files += (files.empty() ? "'" : ", '") + *file + "'";
  }
  auto rules = net::AccessRules::read(
      texts, {auth_.jwt_issuer, auth_.jwt_audience, auth_.jwt_roles_claim, auth_.jwt_clock_skew});
  if (!rules) return cannot_read(files, rules.error().detail);
  return rules;
}

}  // namespace concerto::tools
