#include "database_names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdint>
#include <cstdio>

namespace concerto::persist {
namespace {

/// Whether LevelDB writes a number like this: with six digits, and with more only if it needs more.
bool is_number(std::string_view text) noexcept {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc{} || rest != end) return false;
  std::array<char, 24> again{};
  const int length = std::snprintf(again.data(), again.size(), "%06" PRIu64, number);
  return text == std::string_view(again.data(), static_cast<std::size_t>(length));
}

bool is_numbered(std::string_view name, std::string_view end) noexcept {
  return name.ends_with(end) && is_number(name.substr(0, name.size() - end.size()));
}

}  // namespace

bool is_database_file(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 6> fixed{"CURRENT", "LOCK", "LOG",
                                                  "LOG.old", "LOGS", "LOGS.new"};
  if (std::find(fixed.begin(), fixed.end(), name) != fixed.end()) return true;
  constexpr std::string_view manifest = "MANIFEST-";
  if (name.starts_with(manifest)) return is_number(name.substr(manifest.size()));
  return is_log_file(name) || is_numbered(name, ".ldb") || is_numbered(name, ".sst") ||
         is_numbered(name, ".dbtmp");
}

bool is_log_file(std::string_view name) noexcept {
  return is_numbered(name, ".log");
}

}  // namespace concerto::persist
