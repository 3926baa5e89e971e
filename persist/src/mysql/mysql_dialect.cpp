#include "mysql_dialect.hpp"

#include <charconv>

namespace concerto::persist {
namespace {

/// 1011 for `10.11.6-MariaDB`.
int number_of(std::string_view version) noexcept {
  int major = 0, minor = 0;
  const char* const end = version.data() + version.size();
  const auto [dot, error] = std::from_chars(version.data(), end, major);
  if (error == std::errc{} && dot != end) std::from_chars(dot + 1, end, minor);
  return major * 100 + minor;
}

}  // namespace

MysqlDialect mysql_dialect(std::string_view version) noexcept {
  // MariaDB put this before its own version for a long time.
  constexpr std::string_view old_prefix = "5.5.5-";
  MysqlDialect dialect;
  dialect.is_tidb = version.find("TiDB") != version.npos;
  const bool is_mariadb = version.find("MariaDB") != version.npos;
  if (is_mariadb && version.starts_with(old_prefix)) version.remove_prefix(old_prefix.size());
  dialect.skips_locked = !dialect.is_tidb && number_of(version) >= (is_mariadb ? 1006 : 800);
  return dialect;
}

}  // namespace concerto::persist
