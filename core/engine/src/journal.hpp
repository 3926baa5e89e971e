#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <concerto/engine/ids.hpp>
#include <concerto/engine/inspection.hpp>

namespace concerto {

/// The last attempts of transactions in trouble: they tell an operator why a transaction waits. The
/// number of transactions is limited. The one whose last attempt is the oldest is removed first.
/// For one shard; not thread-safe.
class Journal {
 public:
  static constexpr std::size_t attempts_max = 16;  ///< of a transaction; then the oldest is removed
  static constexpr std::size_t answer_bytes_max = 256;
  /// Rows of a transaction of which all attempts were removed, and the last number was kept.
  static constexpr std::size_t numbers_max = 64;

  explicit Journal(std::size_t transactions_max) : transactions_max_(transactions_max) {}

  /// Whether the journal has attempts of this transaction. Then its successes are kept too.
  bool has(const Gid& gid) const { return !by_gid_.empty() && by_gid_.contains(gid); }
  /// Numbers an attempt and keeps it, with the answer cut to answer_bytes_max.
  void add(const Gid& gid, Attempt attempt);
  /// Notes the time of the next try in all attempts since the last note that did not succeed.
  void set_next_try(const Gid& gid, WallTime at);

  /// A smaller journal loses its oldest transactions as new ones come.
  void set_max(std::size_t transactions_max) noexcept { transactions_max_ = transactions_max; }

  /// The number of the last attempt at a row; 0 if none is known. An empty `op` means any op of the
  /// branch.
  std::uint32_t tries(const Gid& gid, std::string_view branch_id, std::string_view op) const;

  std::vector<Attempt> attempts(const Gid& gid) const;
  /// The transactions whose last attempt that did not succeed has `text` in its answer.
  std::vector<Gid> with_error(std::string_view text) const;
  /// The answers to these attempts.
  std::unordered_map<Gid, std::string> last_errors() const;
  std::size_t size() const noexcept { return entries_.size(); }

 private:
  /// The number of the last attempt at a row.
  struct Number {
    std::string branch_id;
    std::string op;
    std::uint32_t number = 0;
  };
  struct Entry {
    Gid gid;
    std::vector<Attempt> attempts;
    std::vector<Number> numbers;  ///< of rows that have no attempt here; the newest comes last
  };

  /// The last attempt that did not succeed; null if there is none.
  static const Attempt* last_error(const Entry& entry);
  static void drop_oldest(Entry& entry);
  static std::uint32_t last_number(const Entry& entry, std::string_view branch_id,
                                   std::string_view op);

  std::size_t transactions_max_;
  std::list<Entry> entries_;  ///< the one with the newest attempt comes last
  std::unordered_map<Gid, std::list<Entry>::iterator> by_gid_;
};

}  // namespace concerto
