#include "access_files.hpp"

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

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

bool same(const timespec& a, const timespec& b) noexcept {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

std::optional<net::RouteRole> role_for(std::string_view who) noexcept {
  if (who == "nobody") return std::nullopt;
  return who == "anyone" ? net::RouteRole::anyone : net::RouteRole::viewers;
}

std::optional<std::string> open_door(const Config& config) {
  const auto address = parse_listen_address(config.listen_address);
  const bool is_local = address && *address && (*address)->is_loopback();
  if (config.auth.is_on() || is_local) return std::nullopt;
  return "everybody who reaches the ports may submit, read and force-stop transactions: neither "
         "Auth.CallersFile nor Auth.JwksFile is set, and ListenAddress is not this machine alone; "
         "docs/security.md says how to close the ports";
}

bool AccessFiles::Stamp::operator==(const Stamp& other) const noexcept {
  return same(written, other.written) && same(changed, other.changed) && node == other.node &&
         bytes == other.bytes;
}

AccessFiles::Stamps AccessFiles::look() const {
  Stamps stamps;
  for (const std::string* file : {&auth_.callers_file, &auth_.jwks_file}) {
    struct stat status {};
    Stamp stamp;
    if (!file->empty() && ::stat(file->c_str(), &status) == 0) {
      stamp = {status.st_mtim, status.st_ctim, status.st_ino, status.st_size};
    }
    stamps.push_back(stamp);
  }
  return stamps;
}

bool AccessFiles::have_changed() {
  Stamps now = look();
  const bool rests = now == seen_;
  seen_ = std::move(now);
  return rests && seen_ != read_;
}

Result<std::shared_ptr<const net::AccessRules>> AccessFiles::read() {
  seen_ = read_ = look();  // before the reading, so that no later change is missed
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
