#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace concerto::persist {

/// The owner of a row that rests: nobody works on the transaction, and next_cron_time is its wake
/// time. Anybody may take it for a request at any time, and for a pass at its wake time.
inline constexpr std::string_view rest_mark = "cc-rest";

/// What the ids of Concerto's nodes, and nobody else's, begin with.
inline constexpr std::string_view node_mark = "cc-";

/// Who works on an unfinished transaction, by its column `owner`.
enum class Holder : std::uint8_t {
  nobody,      ///< it rests
  this_node,   ///< until next_cron_time, the end of the lease
  other_node,  ///< likewise
  reference,   ///< perhaps a server of the reference, until next_cron_time
};

Holder holder_of(std::string_view owner, std::string_view this_node) noexcept;

/// Whose transactions one look for due ones has taken, because their leases had ended.
class TakenOver {
 public:
  void add(std::string_view owner);
  /// A line for the log; empty if there was none.
  std::string line() const;

 private:
  static constexpr std::size_t owners_named_max = 8;

  std::map<std::string, std::size_t, std::less<>> counts_;
  std::size_t sum_ = 0;
};

/// A new id for this start of the process: `cc-` and 22 random characters.
std::string new_node_id();

}  // namespace concerto::persist
