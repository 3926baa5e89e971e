#include "store_choice.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include <boost/url/parse.hpp>

#include "secrets.hpp"
#include "store_setup.hpp"

namespace concerto::tools {
namespace {

Error wrong(const std::string& what) {
  return make_error(Errc::invalid_request, what);
}

bool is_word(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) != 0; });
}

/// Collects keys of the section Store as a text of a configuration file.
class StoreSection {
 public:
  Result<> set(std::string_view key, std::string_view value) {
    if (!is_word(key)) return wrong("'" + std::string(key) + "' is no key of the section Store");
    const bool has_control =
        std::ranges::any_of(value, [](unsigned char c) { return std::iscntrl(c) != 0; });
    if (has_control) return wrong(std::string(key) + " has a control character");
    const bool is_number = !value.empty() && std::ranges::all_of(value, [](unsigned char c) {
      return std::isdigit(c) != 0;
    });
    text_.append("  ").append(key).append(": ");
    if (is_number || value == "true" || value == "false") {
      text_.append(value);
    } else {
      text_ += '\'';
      for (const char c : value) text_.append(c == '\'' ? 2 : 1, c);
      text_ += '\'';
    }
    text_ += '\n';
    return ok();
  }

  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_ = "Store:\n";
};

Result<> set_server(const boost::urls::url_view& url, const std::string& password,
                    StoreSection& section) {
  if (!url.host().empty()) CONCERTO_CHECK(section.set("Host", url.host_address()));
  if (url.has_port()) CONCERTO_CHECK(section.set("Port", std::string(url.port())));
  if (!url.user().empty()) CONCERTO_CHECK(section.set("User", url.user()));
  const std::string word = url.has_password() ? url.password() : password;
  if (!word.empty()) CONCERTO_CHECK(section.set("Password", word));
  const std::string path = url.path();
  if (path.size() > 1) CONCERTO_CHECK(section.set("Db", path.substr(1)));
  return ok();
}

/// The configuration that a URL stands for. Errors do not show the URL, which may have a password.
Result<std::string> section_of(const std::string& text, const std::string& password) {
  const auto url = boost::urls::parse_uri(text);
  if (!url) return wrong("the URL cannot be read; a character such as '/' is written as %2F in it");
  StoreSection section;
  const std::string driver = url->scheme() == "postgresql" ? "postgres" : url->scheme();
  CONCERTO_CHECK(section.set("Driver", driver));
  if (driver == "leveldb") {
    CONCERTO_CHECK(section.set("Path", url->path()));
  } else {
    CONCERTO_CHECK(set_server(*url, password, section));
  }
  for (const auto& parameter : url->params()) {
    CONCERTO_CHECK(section.set(parameter.key, parameter.value));
  }
  return section.text();
}

/// Whether the text begins with the name of a kind of store, as a URL does.
bool is_url(std::string_view text, const persist::StoreKinds& kinds) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = text.substr(0, colon);
  return scheme == "postgresql" || kinds.find(scheme) != nullptr ||
         text.substr(colon).starts_with("://");
}

Result<LoadedConfig> load(const std::string& text, const std::string& password,
                          const Environment& environment, const ConfigTables& tables) {
  const Environment nothing = [](const std::string&) { return std::nullopt; };
  if (text == "env") return load_config("", environment, tables);
  if (is_url(text, tables.stores)) {
    CONCERTO_TRY(const std::string yaml, section_of(text, password));
    return load_config(yaml, nothing, tables);
  }
  std::ifstream file(text, std::ios::binary);
  if (!file) return wrong("'" + text + "' is neither a file that can be read nor a store's URL");
  const std::string yaml{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return load_config(yaml, nothing, tables);
}

std::string joined(const std::vector<std::string>& sentences) {
  std::string all;
  for (const std::string& sentence : sentences) all += (all.empty() ? "" : "; ") + sentence;
  return all;
}

}  // namespace

Result<StoreChoice> choose_store(const std::string& text, const std::string& password,
                                 const Environment& environment, const ConfigTables& tables) {
  CONCERTO_TRY(const LoadedConfig loaded, load(text, password, environment, tables));
  if (!loaded.findings.errors.empty()) return wrong(joined(loaded.findings.errors));
  if (!loaded.findings.unknown_keys.empty()) return wrong(joined(loaded.findings.unknown_keys));
  StoreChoice choice;
  choice.settings = store_settings(loaded.config);
  choice.audit = loaded.config.audit;
  choice.secrets = secrets_of(loaded.config);
  if (choice.settings.driver == "leveldb") {
    std::error_code failed;
    const auto path = std::filesystem::weakly_canonical(choice.settings.path, failed);
    if (!failed) choice.settings.path = path.string();
  }
  choice.kind = tables.stores.find(choice.settings.driver);
  if (choice.kind == nullptr || !choice.kind->place) {
    return wrong("Store.Driver '" + choice.settings.driver + "' stores nothing that stays");
  }
  choice.place = choice.kind->place(choice.settings);
  return choice;
}

}  // namespace concerto::tools
