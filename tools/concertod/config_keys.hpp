#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config.hpp"

namespace concerto::tools {

/// The member that holds a key's value. Its type decides how text is read; the row marks a
/// std::size_t that counts bytes.
using KeyField =
    std::variant<std::string& (*)(Config&), bool& (*)(Config&), LogLevel& (*)(Config&),
                 std::int64_t& (*)(Config&), std::size_t& (*)(Config&),
                 std::chrono::milliseconds& (*)(Config&), std::chrono::seconds& (*)(Config&),
                 std::chrono::minutes& (*)(Config&)>;

enum class Secrecy : std::uint8_t {
  open,
  secret,       ///< the whole value
  url_secrets,  ///< the parts of a URL that give access
  url_path      ///< a URL of which all that follows the host may give access
};

struct KeyRange {
  std::int64_t min = 0;
  std::int64_t max = std::numeric_limits<std::int64_t>::max();

  /// For a number that is not used: the reference accepts every number, and existing files have
  /// such keys.
  static constexpr KeyRange any() noexcept { return {std::numeric_limits<std::int64_t>::min()}; }
};

/// One key of the configuration.
struct KeyRow {
  std::string_view path;  ///< as in the YAML file, sections joined by dots
  KeyField field;
  std::string_view help;
  KeyRange range{};  ///< for a number or duration, in the key's unit
  bool in_bytes = false;
  Secrecy secrecy = Secrecy::open;
  bool reloads = false;  ///< SIGHUP applies a new value
  /// A member that becomes true when the key is set, even if to its default.
  bool& (*is_set)(Config&) = nullptr;
};

/// The beginning of the help text of a key that is not used. Existing files have such keys.
inline constexpr std::string_view unused_mark = "accepted and unused";

/// The keys that a configuration may have.
class KeyTable {
 public:
  /// The keys of concertod. A new key is a row of this table.
  static const KeyTable& standard();

  explicit KeyTable(std::span<const KeyRow> rows) : rows_(rows.begin(), rows.end()) {}

  /// Adds a key. The texts of the row outlive the table.
  void add(const KeyRow& row) { rows_.push_back(row); }

  /// All keys, in the order in which they are printed.
  std::span<const KeyRow> rows() const noexcept { return rows_; }
  /// Returns null for a key that is not in the table. The pointer is valid until the next `add`.
  const KeyRow* find(std::string_view path) const noexcept;
  /// Returns the key or section that is most like `path`, ignoring case, or a key that has the same
  /// name in another section; an empty text if the difference is too large for a typing mistake.
  /// The table is not empty.
  std::string_view nearest(std::string_view path) const;
  /// Whether the section is there, and the reference has none of its keys.
  bool is_own_section(std::string_view section) const;
  /// The key or section, one that the reference does not have, that an unknown key was meant to be:
  /// it differs by case or by two letters at most, or it is a key in the wrong section. Empty if
  /// there is none, or a key of the reference is nearer.
  std::string_view own_key_like(std::string_view path) const;
  /// Whether the key says who may do what: without it, something is open that it would close.
  bool protects(const KeyRow& row) const;
  /// Whether the key protects and is off without a value, so that `Key:` or `Key: ''`, as when a
  /// template had no value for it, is probably a mistake.
  bool needs_value(const KeyRow& row) const;

 private:
  std::vector<KeyRow> rows_;
};

/// The part of the standard table that is about TLS.
std::span<const KeyRow> tls_rows();
/// The part that is about who reaches the ports: proxies, limits per client, the admin port.
std::span<const KeyRow> client_rows();
/// The part that is about traces.
std::span<const KeyRow> trace_rows();

/// Whether files of the reference have this key, although neither the reference nor concertod uses
/// it.
bool is_unread_key(std::string_view path);

/// Whether the text has neither a value nor parts of a list: only blanks and commas.
bool is_blank(std::string_view text);

/// Whether the reference has this key, or had it.
bool is_key_of_reference(std::string_view path);

/// Whether the reference has this key, with a number for its value. Its files may have fractions
/// there, which are cut off, and any number but 0 for yes.
bool is_number_of_reference(std::string_view path);

/// The key's environment variable: `Log.RotationConfigJSON` is LOG_ROTATION_CONFIG_JSON.
std::string env_name(std::string_view path);

/// A warning for each of these variables of the environment that nothing reads and whose name is
/// nearly that of a key that protects.
std::vector<std::string> misspelt_variables(std::span<const std::string> names,
                                            const KeyTable& keys);

/// Sets a key from text. The error names the key, what is expected and the value.
Result<> set_key(Config& config, const KeyRow& row, std::string_view text);

/// The key's value as text that set_key can read.
std::string key_text(const Config& config, const KeyRow& row);

/// The same, with secrets replaced by `***`.
std::string masked_text(const Config& config, const KeyRow& row);

}  // namespace concerto::tools
