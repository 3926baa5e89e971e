#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/engine/inspection.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/store.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto::net {

/// RFC 3339 with up to 9 digits of a second, trailing zeros cut, in the zone `offset` east of UTC.
std::string format_time(WallTime time, std::chrono::minutes offset);

/// The JSON text of stored options: what is zero is left out, except `concurrent`.
std::string options_text(const TransOptions& options);

/// Answer of `query` (protocol page 02, section 7.1), in the shape of the SQL stores. Of our own is
/// the member `why`, which an unknown gid lacks.
std::string query_json(const std::optional<Inspection>& found, std::chrono::minutes offset,
                       const ModeTable& modes);

/// Answer of `prepareWorkflow` (section 4.7).
std::string workflow_json(const Transaction& trans, std::chrono::minutes offset,
                          const ModeTable& modes);

/// Answer of `all` (section 7.2). With `why`, one for each transaction, these have the member of
/// that name too, with the last attempt alone.
std::string page_json(const TransPage& page, std::chrono::minutes offset, const ModeTable& modes,
                      const std::vector<std::optional<Inspection>>& why = {});

/// Answer of `all` for one gid; `position` is echoed.
std::string single_json(const std::optional<Transaction>& trans, std::string_view position,
                        std::chrono::minutes offset, const ModeTable& modes);

/// Answer of `queryKV` (section 8).
std::string kv_json(const std::vector<KvRecord>& records, std::chrono::minutes offset);

/// Answer of `scanKV`.
std::string kv_page_json(const KvPage& page, std::chrono::minutes offset);

}  // namespace concerto::net
