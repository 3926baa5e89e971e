#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/engine/store.hpp>

namespace concerto::persist {

/// The errors of the Store port, with the same texts in every store.
Error gid_exists(const Gid& gid);
Error trans_not_found(const Gid& gid);
Error status_mismatch(const UpdateTrans& update, TransStatus stored);

/// The stored status must be the expected one. A finished transaction accepts no change but a new
/// schedule.
Result<> check_status(const UpdateTrans& update, TransStatus stored);

/// No new branch may have the (branch_id, op) of another new branch or of a branch of `trans`.
Result<> check_new_branches(const Transaction& trans, const TransDelta& delta);

/// The part of a filter that depends on what never changes: type and time of creation.
bool fits_as_created(const ListFilter& filter, const Transaction& created) noexcept;
bool matches(const ListFilter& filter, const Transaction& trans);

/// An unfinished transaction as `scan_unfinished` shows it.
UnfinishedTrans unfinished_of(const Transaction& trans);
/// A transaction as `list` shows it.
Transaction without_branches(const Transaction& trans);
/// Bytes that the transaction adds to a page.
std::size_t listed_bytes(const Transaction& listed) noexcept;

/// The whole text as a number.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A position of `list` is a sequence as decimal text; the page shows older transactions only. With
/// an empty position it shows all.
Result<std::optional<std::uint64_t>> parse_position(const std::string& position);
Error foreign_position(const std::string& position);

}  // namespace concerto::persist
