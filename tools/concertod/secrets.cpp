#include "secrets.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include <sys/prctl.h>
#include <sys/stat.h>

#include <concerto/base/masked_url.hpp>
#include <concerto/transport/percent.hpp>

#include "config_tables.hpp"

namespace concerto::tools {
namespace {

/// A shorter secret is none, and to hide it would make holes in words.
constexpr std::size_t hidden_bytes_min = 4;
constexpr std::size_t file_bytes_max = std::size_t{64} << 10;

struct SecretFile {
  std::string_view key;  ///< of the file
  std::string_view stands_for;
  const std::string& file;
  std::string& secret;
  bool is_url;
};

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};

/// The text of the file without the line break at its end. The error does not show the text.
Result<std::string> text_in_file(const std::string& path, mode_t& mode) {
  const auto failed = [&path](const std::string& why) {
    return make_error(Errc::invalid_request, "the file '" + path + "' cannot be read: " + why);
  };
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) return failed(std::generic_category().message(errno));
  struct stat state {};
  if (::fstat(::fileno(file.get()), &state) == 0) mode = state.st_mode;
  std::string text(file_bytes_max + 1, '\0');
  errno = 0;
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return failed(std::generic_category().message(errno));
  if (text.size() > file_bytes_max) return failed("it is too large for a secret");
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) return failed("it is empty");
  return text;
}

void add_secret(std::vector<std::string>& secrets, std::string_view text) {
  if (text.size() < hidden_bytes_min) return;
  secrets.emplace_back(text);
  const auto decoded = net::percent_decode(text, false);
  if (decoded && *decoded != text) secrets.push_back(*decoded);
}

/// Whether people may not see the value of a parameter, because its name suggests a secret.
bool is_secret(std::string_view parameter) {
  const std::string url = "http://h/?" + std::string(parameter);
  return masked_url(url) != url;
}

/// Whether a part of a URL may be a token. Words as `services` and `alert` are none, and hidden
/// they would make holes in the log.
bool looks_random(std::string_view part) {
  constexpr std::size_t bytes_min = 8, words_bytes_max = 15;
  return part.size() > words_bytes_max ||
         (part.size() >= bytes_min && part.find_first_of("0123456789") != part.npos);
}

/// What follows the host of a URL, as a whole, and its parts that may be tokens.
void add_beyond_host(std::vector<std::string>& secrets, std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return;
  std::string_view rest = url.substr(scheme + 3);
  rest.remove_prefix(std::min(rest.find_first_of("/?#"), rest.size()));
  if (rest.size() > 1 && looks_random(rest)) add_secret(secrets, rest.substr(1));
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view part = rest.substr(0, rest.find_first_of("/?#&="));
    if (looks_random(part)) add_secret(secrets, part);
    rest.remove_prefix(part.size());
  }
}

/// What may be a password in a text that was meant to be a URL, as `etcd//user:password@host`.
void add_userinfo_of_no_url(std::vector<std::string>& secrets, std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::size_t at = text.rfind('@');
  if (colon == text.npos || at == text.npos || at <= colon) return;
  add_secret(secrets, text.substr(colon + 1, at - colon - 1));
}

/// The password of a URL, or its user if there is none, and the secrets in its query.
void add_parts_of_url(std::vector<std::string>& secrets, std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return add_userinfo_of_no_url(secrets, url);
  const std::string_view rest = url.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::string_view access = authority.substr(0, authority.rfind('@') + 1);
  if (!access.empty()) {
    const std::size_t colon = access.find(':');
    const std::string_view user = access.substr(0, access.size() - 1);
    add_secret(secrets, colon == std::string_view::npos ? user : user.substr(colon + 1));
  }
  std::string_view query = rest.substr(std::min(rest.find('?'), rest.size()));
  while (!query.empty()) {
    query.remove_prefix(1);
    const std::string_view pair = query.substr(0, query.find('&'));
    const std::size_t value = pair.find('=');
    if (value != std::string_view::npos && is_secret(pair)) {
      add_secret(secrets, pair.substr(value + 1));
    }
    query.remove_prefix(pair.size());
  }
}

}  // namespace

void read_secret_files(Config& config, Findings& findings) {
  const SecretFile files[] = {{"Store.PasswordFile", "Store.Password", config.store.password_file,
                               config.store.password, false},
                              {"MicroService.TargetFile", "MicroService.Target",
                               config.micro_service.target_file, config.micro_service.target, true},
                              {"AlertWebHookFile", "AlertWebHook", config.alert_web_hook_file,
                               config.alert_web_hook, true}};
  for (const SecretFile& one : files) {
    const std::string key(one.key);
    if (one.file.empty()) continue;
    if (!one.secret.empty()) {
      findings.errors.push_back(key + ": " + std::string(one.stands_for) +
                                " is set too; only one of them may be");
      continue;
    }
    mode_t mode = 0;
    auto text = text_in_file(one.file, mode);
    if (!text) {
      findings.errors.push_back(key + ": " + text.error().detail);
      continue;
    }
    // It may be another secret, which the finding about a wrong URL would show.
    if (one.is_url && text->find("://") == std::string::npos) {
      findings.errors.push_back(key + ": the file '" + one.file + "' has no URL");
      continue;
    }
    one.secret = std::move(*text);
    for (const auto& [right, what] : {std::pair{S_IROTH, "read"}, std::pair{S_IWOTH, "change"}}) {
      if ((mode & static_cast<mode_t>(right)) == 0) continue;
      findings.warnings.push_back(key + ": everybody on this machine may " + what + " the file '" +
                                  one.file + "'");
    }
  }
}

std::vector<std::string> secrets_of(const Config& config) {
  std::vector<std::string> secrets;
  for (const KeyRow& row : standard_tables().keys.rows()) {
    const std::string text = key_text(config, row);
    if (row.secrecy == Secrecy::secret) add_secret(secrets, text);
    const bool is_url = row.secrecy == Secrecy::url_secrets || row.secrecy == Secrecy::url_path;
    if (is_url) add_parts_of_url(secrets, text);
    if (row.secrecy == Secrecy::url_path) add_beyond_host(secrets, text);
  }
  // Of two secrets the longer one first, so that nothing is left of it.
  std::ranges::sort(secrets, std::ranges::greater{}, &std::string::size);
  return secrets;
}

std::string without_secrets(std::string text, const std::vector<std::string>& secrets) {
  constexpr std::string_view mask = "***";
  for (const std::string& secret : secrets) {
    for (std::size_t at = text.find(secret); at != std::string::npos;
         at = text.find(secret, at + mask.size())) {
      text.replace(at, secret.size(), mask);
    }
  }
  return text;
}

std::string masked_userinfo(std::string_view text) {
  constexpr std::string_view ends = " \t\r\n'\"/,;()[]{}";
  std::string shown;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find_first_of(ends), text.size());
    const std::string_view word = text.substr(0, size);
    const std::size_t at = word.rfind('@');
    const std::size_t colon = word.find(':');
    if (at != word.npos && colon < at) {
      shown.append(word.substr(0, colon + 1)).append("***").append(word.substr(at));
    } else {
      shown.append(word);
    }
    text.remove_prefix(size);
    const std::size_t next = std::min(text.find_first_not_of(ends), text.size());
    shown.append(text.substr(0, next));
    text.remove_prefix(next);
  }
  return shown;
}

void hide_secrets(LoadedConfig& loaded) {
  const auto secrets = secrets_of(loaded.config);
  Findings& findings = loaded.findings;
  for (auto* list :
       {&findings.errors, &findings.unknown_keys, &findings.warnings, &findings.notices}) {
    for (std::string& text : *list) text = without_secrets(masked_userinfo(text), secrets);
  }
}

void forbid_core_dumps() noexcept {
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void allow_core_dumps() noexcept {
  ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

}  // namespace concerto::tools
