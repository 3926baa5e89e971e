#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/base/error.hpp>
#include <concerto/protocol/action_audit.hpp>

namespace concerto::tools {

/// The most bytes of one text of a record that are kept, before escapes. Texts come from outside.
inline constexpr std::size_t audit_text_bytes_max = 1'024;
/// The same for `details` and `result`: there is room for the two URLs of an edit.
inline constexpr std::size_t audit_long_text_bytes_max = 18'000;
/// The same for a refused attempt, because everybody can make attempts.
inline constexpr std::size_t refused_text_bytes_max = 200;

/// The most bytes of all gids of a record, with escapes. There is room for as many as a request may
/// name, whatever their length.
inline constexpr std::size_t audit_gids_bytes_max = std::size_t{1} << 20;

/// The most bytes of the files that one query looks at. The next page goes on from there.
inline constexpr std::size_t audit_scan_bytes_max = std::size_t{16} << 20;

/// A record as a line of JSON with a line break: `{"ts":..,"id":..,"event":..,"action":..,..}`.
/// Of several gids a refused attempt has none, and `gids_left_out` counts those for which there is
/// no room. Empty texts are left out, long ones are cut, passwords in URLs are masked, and no byte
/// of a text can end the line or the string that it is in. `left_out`: how many refused attempts
/// before this one have no record.
std::string audit_line(const net::AuditRecord& record, WallTime now, std::size_t left_out = 0);

/// The records of a query, from the files of a log, the newest first.
Result<net::AuditPage> read_audit(const std::vector<std::filesystem::path>& files,
                                  const net::AuditQuery& query);

}  // namespace concerto::tools
