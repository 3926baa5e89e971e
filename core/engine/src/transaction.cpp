#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

std::string_view to_string(TransStatus status) noexcept {
  switch (status) {
    case TransStatus::prepared:
      return "prepared";
    case TransStatus::submitted:
      return "submitted";
    case TransStatus::aborting:
      return "aborting";
    case TransStatus::succeed:
      return "succeed";
    case TransStatus::failed:
      return "failed";
  }
  return "unknown";
}

std::string_view to_string(BranchStatus status) noexcept {
  switch (status) {
    case BranchStatus::prepared:
      return "prepared";
    case BranchStatus::succeed:
      return "succeed";
    case BranchStatus::failed:
      return "failed";
  }
  return "unknown";
}

std::string_view to_string(Protocol protocol) noexcept {
  switch (protocol) {
    case Protocol::http:
      return "http";
    case Protocol::grpc:
      return "grpc";
    case Protocol::json_rpc:
      return "json-rpc";
  }
  return "unknown";
}

namespace {

template <class Enum>
std::optional<Enum> enum_from(std::string_view text, Enum first, Enum last) noexcept {
  for (auto value = static_cast<int>(first); value <= static_cast<int>(last); ++value) {
    if (to_string(static_cast<Enum>(value)) == text) return static_cast<Enum>(value);
  }
  return std::nullopt;
}

template <class T>
void assign(T& target, const std::optional<T>& value) {
  if (value) target = *value;
}

void apply(Transaction& trans, const RowEdit& edit) {
  Branch& row = trans.branches[edit.index];
  assign(row.url, edit.url);
  row.update_time = edit.at;
  if (!edit.payload) return;
  const std::uint32_t old = std::exchange(row.payload, *edit.payload);
  const bool is_used = std::ranges::any_of(
      trans.branches, [old](const Branch& branch) { return branch.payload == old; });
  if (!is_used) trans.payloads[old].clear();
}

}  // namespace

std::optional<TransStatus> trans_status_from(std::string_view text) noexcept {
  return enum_from(text, TransStatus::prepared, TransStatus::failed);
}

std::optional<BranchStatus> branch_status_from(std::string_view text) noexcept {
  return enum_from(text, BranchStatus::prepared, BranchStatus::failed);
}

std::optional<Protocol> protocol_from(std::string_view text) noexcept {
  if (text.empty()) return Protocol::http;
  return enum_from(text, Protocol::http, Protocol::json_rpc);
}

bool fits(const Transaction& trans, const TransDelta& delta) noexcept {
  const auto payloads = trans.payloads.size() + delta.new_payloads.size();
  for (const Branch& branch : delta.new_branches) {
    if (branch.payload >= payloads) return false;
  }
  const auto branches = trans.branches.size() + delta.new_branches.size();
  for (const RowEdit& edit : delta.row_edits) {
    if (edit.index >= branches || edit.payload.value_or(0) >= payloads) return false;
  }
  for (const BranchChange& change : delta.branch_changes) {
    if (change.index >= branches) return false;
  }
  return true;
}

void apply(Transaction& trans, const TransDelta& delta) {
  CONCERTO_ASSERT(fits(trans, delta));
  trans.update_time = delta.at;
  if (delta.status) {
    trans.status = *delta.status;
    if (trans.status == TransStatus::succeed) trans.finish_time = delta.at;
    if (trans.status == TransStatus::failed) trans.rollback_time = delta.at;
  }
  assign(trans.rollback_reason, delta.rollback_reason);
  assign(trans.result, delta.result);
  assign(trans.custom_data, delta.custom_data);
  assign(trans.options, delta.options);
  if (delta.submit_time) trans.submit_time = delta.submit_time;
  if (delta.schedule) {
    trans.next_cron_interval = delta.schedule->interval;
    trans.next_cron_time = delta.schedule->time;
    trans.waits = delta.schedule->waits;
  }
  assign(trans.retry_count, delta.retry_count);
  for (const std::string& payload : delta.new_payloads) trans.payloads.push_back(payload);
  for (const Branch& branch : delta.new_branches) trans.branches.push_back(branch);
  for (const RowEdit& edit : delta.row_edits) apply(trans, edit);
  for (const BranchChange& change : delta.branch_changes) {
    Branch& branch = trans.branches[change.index];
    branch.status = change.status;
    branch.update_time = change.at;
    if (change.status != BranchStatus::prepared) branch.finish_time = change.at;
  }
}

}  // namespace concerto
