#include "config_changes.hpp"

#include <string_view>
#include <utility>

#include "config_tables.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t shown_bytes_max = 200;

std::string shown_value(const Config& config, const KeyRow& row) {
  std::string text = masked_text(config, row);
  if (text.size() > shown_bytes_max) text = text.substr(0, shown_bytes_max) + "..";
  return "'" + text + "'";
}

/// Limits.Burst is not about whether there is a limit.
bool is_looser(const KeyRow& row, const std::string& text) {
  if (row.path == "TargetAllow" || row.path == "TargetDeny") return text.empty();
  return row.path.starts_with("Limits.") && row.path != "Limits.Burst" && text == "0";
}

}  // namespace

std::vector<KeyChange> changes(const Config& running, const Config& fresh,
                               const ConfigTables& tables) {
  std::vector<KeyChange> found;
  for (const KeyRow& row : tables.keys.rows()) {
    if (!row.reloads) continue;
    const std::string text = key_text(fresh, row);
    if (text == key_text(running, row)) continue;
    found.push_back({std::string(row.path) + ": " + shown_value(running, row) + " -> " +
                         shown_value(fresh, row),
                     is_looser(row, text)});
  }
  return found;
}

void refuse_lost_keys(std::size_t keys_before, LoadedConfig& fresh) {
  // A file that cannot be read has its own error, and no key either.
  if (keys_before == 0 || fresh.file_keys != 0 || !fresh.findings.errors.empty()) return;
  fresh.findings.errors.push_back("the configuration file has no key any more, but had " +
                                  std::to_string(keys_before) +
                                  "; to go back to the defaults, start without it");
}

}  // namespace concerto::tools
