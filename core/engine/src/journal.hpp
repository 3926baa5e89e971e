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

/// The last attempts of transactions that met trouble: what answers "why does it wait". Bounded;
/// the transaction whose last trouble is longest ago goes first. Of one shard, not thread-safe.
class Journal {
 public:
  static constexpr std::size_t attempts_max = 16;  ///< per transaction; the oldest go
  static constexpr std::size_t answer_bytes_max = 256;
  /// Rows of a transaction (branch and op) whose attempts have all gone and whose numbers go on.
  static constexpr std::size_t numbers_max = 64;

  explicit Journal(std::size_t transactions_max) : transactions_max_(transactions_max) {}

  /// Whether a success of this transaction is worth keeping: trouble came before it.
  bool has(const Gid& gid) const { return !by_gid_.empty() && by_gid_.contains(gid); }
  /// Keeps an attempt, its answer cut to answer_bytes_max, and numbers it.
  void add(const Gid& gid, Attempt attempt);
  /// Notes when the attempts that nothing was noted for are to be repeated.
  void set_next_try(const Gid& gid, WallTime at);

  /// A smaller journal loses its oldest transactions as new ones come.
  void set_max(std::size_t transactions_max) noexcept { transactions_max_ = transactions_max; }

  /// The number of the last attempt at a branch and op, or at any op for an empty one; 0 if none is
  /// known.
  std::uint32_t tries(const Gid& gid, std::string_view branch_id, std::string_view op) const;

  std::vector<Attempt> attempts(const Gid& gid) const;
  /// Those whose last attempt without success has this text in its answer.
  std::vector<Gid> with_error(std::string_view text) const;
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
    std::vector<Number> numbers;  ///< of rows without an attempt here; the newest comes last
  };

  static void drop_oldest(Entry& entry);
  static std::uint32_t last_number(const Entry& entry, std::string_view branch_id,
                                   std::string_view op);

  std::size_t transactions_max_;
  std::list<Entry> entries_;  ///< the one written last comes last
  std::unordered_map<Gid, std::list<Entry>::iterator> by_gid_;
};

}  // namespace concerto
