// The payloads of transactions and their deltas; their grammar is in record.hpp.

#include <algorithm>
#include <utility>

#include "record.hpp"
#include "wire.hpp"

namespace concerto::persist {
namespace {

enum TransFlag : unsigned {
  flag_waits = 1,
  flag_submitted = 2,
  flag_finished = 4,
  flag_rolled_back = 8,
};

enum OptionFlag : unsigned { flag_wait_result = 1, flag_concurrent = 2 };

enum BranchFlag : unsigned { flag_created = 16, flag_updated = 32, flag_branch_finished = 64 };
constexpr unsigned branch_status_mask = 15;

enum EditFlag : unsigned { flag_edits_url = 1, flag_edits_payload = 2 };

enum DeltaField : unsigned {
  field_status = 1,
  field_rollback_reason = 2,
  field_result = 4,
  field_custom_data = 8,
  field_options = 16,
  field_submit_time = 32,
  field_schedule = 64,
  field_retry_count = 128,
  field_branch_changes = 256,
  field_payloads = 512,
  field_branches = 1024,
  field_row_edits = 2048,
  fields_known = 4095,
};

std::uint64_t bits(WallTime time) noexcept {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

WallTime from_bits(std::uint64_t value) noexcept {
  return WallTime{std::chrono::nanoseconds{static_cast<std::int64_t>(value)}};
}

template <class T>
unsigned flag_if(const std::optional<T>& value, unsigned flag) noexcept {
  return value ? flag : 0U;
}

/// Writes a payload whose times are relative to `base`.
class PayloadWriter {
 public:
  PayloadWriter(std::string& out, WallTime base) : out_(out), base_(bits(base)) {}

  Encoder& raw() { return out_; }

  void time(WallTime value) { out_.zigzag(static_cast<std::int64_t>(bits(value) - base_)); }
  void time(const std::optional<WallTime>& value) {
    if (value) time(*value);
  }
  void seconds(std::chrono::seconds value) { out_.zigzag(value.count()); }

  void options(const TransOptions& options) {
    out_.u8(static_cast<std::uint8_t>((options.wait_result ? flag_wait_result : 0U) |
                                      (options.concurrent ? flag_concurrent : 0U)));
    seconds(options.timeout_to_fail);
    seconds(options.request_timeout);
    seconds(options.retry_interval);
    out_.zigzag(options.retry_limit);
    out_.varint(options.branch_headers.size());
    for (const auto& [name, value] : options.branch_headers) {
      out_.text(name);
      out_.text(value);
    }
  }

  void payloads(const std::vector<std::string>& payloads) {
    out_.varint(payloads.size());
    for (const std::string& payload : payloads) out_.text(payload);
  }

  void branches(const std::vector<Branch>& branches) {
    out_.varint(branches.size());
    for (const Branch& branch : branches) {
      out_.text(branch.branch_id.view());
      out_.text(branch.op);
      out_.text(branch.url);
      out_.varint(branch.payload);
      out_.u8(static_cast<std::uint8_t>(static_cast<unsigned>(branch.status) |
                                        flag_if(branch.create_time, flag_created) |
                                        flag_if(branch.update_time, flag_updated) |
                                        flag_if(branch.finish_time, flag_branch_finished)));
      time(branch.create_time);
      time(branch.update_time);
      time(branch.finish_time);
    }
  }

  void edits(const std::vector<RowEdit>& edits) {
    out_.varint(edits.size());
    for (const RowEdit& edit : edits) {
      out_.varint(edit.index);
      out_.u8(static_cast<std::uint8_t>(flag_if(edit.url, flag_edits_url) |
                                        flag_if(edit.payload, flag_edits_payload)));
      if (edit.url) out_.text(*edit.url);
      if (edit.payload) out_.varint(*edit.payload);
      time(edit.at);
    }
  }

 private:
  Encoder out_;
  std::uint64_t base_;
};

/// Reads such a payload. A value outside its type's range makes the decoder fail.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view bytes) : in_(bytes) {}

  Decoder& raw() { return in_; }
  void set_base(std::uint64_t base) { base_ = base; }

  std::string text() { return std::string(in_.text()); }
  WallTime time() { return from_bits(base_ + static_cast<std::uint64_t>(in_.zigzag())); }
  std::optional<WallTime> time_if(unsigned flag) {
    if (flag == 0) return std::nullopt;
    return time();
  }
  std::chrono::seconds seconds() { return std::chrono::seconds{in_.zigzag()}; }

  template <class Enum>
  Enum enumerator(unsigned value) {
    if (to_string(static_cast<Enum>(value)) == "unknown") in_.fail();
    return static_cast<Enum>(value);
  }

  /// The store does not ask whether a mode has this number.
  TransType type() {
    const auto type = static_cast<TransType>(in_.u8());
    if (!is_mode_number(type)) in_.fail();
    return type;
  }

  TransOptions options() {
    TransOptions options;
    const unsigned flags = in_.u8();
    options.wait_result = (flags & flag_wait_result) != 0;
    options.concurrent = (flags & flag_concurrent) != 0;
    options.timeout_to_fail = seconds();
    options.request_timeout = seconds();
    options.retry_interval = seconds();
    options.retry_limit = in_.zigzag();
    const std::uint64_t headers = in_.varint();
    for (std::uint64_t i = 0; i < headers && in_.ok(); ++i) {
      std::string name = text();
      options.branch_headers.emplace(std::move(name), text());
    }
    return options;
  }

  std::vector<std::string> payloads() {
    std::vector<std::string> payloads;
    const std::uint64_t count = in_.varint();
    for (std::uint64_t i = 0; i < count && in_.ok(); ++i) payloads.push_back(text());
    return payloads;
  }

  std::vector<Branch> branches() {
    std::vector<Branch> branches;
    const std::uint64_t count = in_.varint();
    for (std::uint64_t i = 0; i < count && in_.ok(); ++i) branches.push_back(branch());
    return branches;
  }

 private:
  Branch branch() {
    Branch branch;
    branch.branch_id = BranchId{text()};
    branch.op = text();
    branch.url = text();
    branch.payload = static_cast<std::uint32_t>(in_.varint());
    const unsigned flags = in_.u8();
    branch.status = enumerator<BranchStatus>(flags & branch_status_mask);
    branch.create_time = time_if(flags & flag_created);
    branch.update_time = time_if(flags & flag_updated);
    branch.finish_time = time_if(flags & flag_branch_finished);
    return branch;
  }

  Decoder in_;
  std::uint64_t base_ = 0;
};

unsigned fields_of(const TransDelta& delta) noexcept {
  return flag_if(delta.status, field_status) |
         flag_if(delta.rollback_reason, field_rollback_reason) |
         flag_if(delta.result, field_result) | flag_if(delta.custom_data, field_custom_data) |
         flag_if(delta.options, field_options) | flag_if(delta.submit_time, field_submit_time) |
         flag_if(delta.schedule, field_schedule) | flag_if(delta.retry_count, field_retry_count) |
         (delta.branch_changes.empty() ? 0U : field_branch_changes) |
         (delta.new_payloads.empty() ? 0U : field_payloads) |
         (delta.new_branches.empty() ? 0U : field_branches) |
         (delta.row_edits.empty() ? 0U : field_row_edits);
}

}  // namespace

EncodedRecord encode_transaction(RecordKind kind, const Transaction& trans) {
  std::string payload;
  payload.reserve(512);
  PayloadWriter out(payload, trans.create_time);
  out.raw().text(trans.gid.view());
  out.raw().u8(static_cast<std::uint8_t>(trans.type));
  out.raw().u8(static_cast<std::uint8_t>(trans.status));
  out.raw().u8(static_cast<std::uint8_t>(trans.protocol));
  out.raw().u8(static_cast<std::uint8_t>(
      (trans.waits ? flag_waits : 0U) | flag_if(trans.submit_time, flag_submitted) |
      flag_if(trans.finish_time, flag_finished) | flag_if(trans.rollback_time, flag_rolled_back)));
  out.raw().u64(bits(trans.create_time));
  out.time(trans.update_time);
  out.time(trans.submit_time);
  out.time(trans.finish_time);
  out.time(trans.rollback_time);
  out.seconds(trans.next_cron_interval);
  out.time(trans.next_cron_time);
  out.raw().zigzag(trans.retry_count);
  out.options(trans.options);
  out.raw().text(trans.query_prepared);
  out.raw().text(trans.custom_data);
  out.raw().text(trans.result);
  out.raw().text(trans.rollback_reason);
  out.payloads(trans.payloads);
  out.branches(trans.branches);
  return seal(kind, std::move(payload));
}

std::optional<Transaction> decode_transaction(std::string_view payload) {
  PayloadReader in(payload);
  Transaction trans;
  trans.gid = Gid{in.text()};
  trans.type = in.type();
  trans.status = in.enumerator<TransStatus>(in.raw().u8());
  trans.protocol = in.enumerator<Protocol>(in.raw().u8());
  const unsigned flags = in.raw().u8();
  const std::uint64_t created = in.raw().u64();
  in.set_base(created);
  trans.create_time = from_bits(created);
  trans.update_time = in.time();
  trans.submit_time = in.time_if(flags & flag_submitted);
  trans.finish_time = in.time_if(flags & flag_finished);
  trans.rollback_time = in.time_if(flags & flag_rolled_back);
  trans.waits = (flags & flag_waits) != 0;
  trans.next_cron_interval = in.seconds();
  trans.next_cron_time = in.time();
  trans.retry_count = in.raw().zigzag();
  trans.options = in.options();
  trans.query_prepared = in.text();
  trans.custom_data = in.text();
  trans.result = in.text();
  trans.rollback_reason = in.text();
  trans.payloads = in.payloads();
  trans.branches = in.branches();
  const bool has_all_payloads = std::ranges::all_of(
      trans.branches, [&](const Branch& branch) { return branch.payload < trans.payloads.size(); });
  if (!in.raw().done() || !has_all_payloads) return std::nullopt;
  return trans;
}

EncodedRecord encode_delta(RecordKind kind, const Gid& gid, const TransDelta& delta) {
  std::string payload;
  payload.reserve(128);
  PayloadWriter out(payload, delta.at);
  out.raw().text(gid.view());
  out.raw().u64(bits(delta.at));
  out.raw().varint(fields_of(delta));
  if (delta.status) out.raw().u8(static_cast<std::uint8_t>(*delta.status));
  if (delta.rollback_reason) out.raw().text(*delta.rollback_reason);
  if (delta.result) out.raw().text(*delta.result);
  if (delta.custom_data) out.raw().text(*delta.custom_data);
  if (delta.options) out.options(*delta.options);
  out.time(delta.submit_time);
  if (delta.schedule) {
    out.seconds(delta.schedule->interval);
    out.time(delta.schedule->time);
    out.raw().u8(delta.schedule->waits ? 1 : 0);
  }
  if (delta.retry_count) out.raw().zigzag(*delta.retry_count);
  if (!delta.branch_changes.empty()) {
    out.raw().varint(delta.branch_changes.size());
    for (const BranchChange& change : delta.branch_changes) {
      out.raw().varint(change.index);
      out.raw().u8(static_cast<std::uint8_t>(change.status));
      out.time(change.at);
    }
  }
  if (!delta.new_payloads.empty()) out.payloads(delta.new_payloads);
  if (!delta.new_branches.empty()) out.branches(delta.new_branches);
  if (!delta.row_edits.empty()) out.edits(delta.row_edits);
  return seal(kind, std::move(payload));
}

namespace {

std::vector<BranchChange> branch_changes(PayloadReader& in) {
  std::vector<BranchChange> changes;
  const std::uint64_t count = in.raw().varint();
  for (std::uint64_t i = 0; i < count && in.raw().ok(); ++i) {
    BranchChange change;
    change.index = static_cast<std::uint32_t>(in.raw().varint());
    change.status = in.enumerator<BranchStatus>(in.raw().u8());
    change.at = in.time();
    changes.push_back(change);
  }
  return changes;
}

std::vector<RowEdit> row_edits(PayloadReader& in) {
  std::vector<RowEdit> edits;
  const std::uint64_t count = in.raw().varint();
  for (std::uint64_t i = 0; i < count && in.raw().ok(); ++i) {
    RowEdit edit;
    edit.index = static_cast<std::uint32_t>(in.raw().varint());
    const unsigned flags = in.raw().u8();
    if ((flags & ~(flag_edits_url | flag_edits_payload)) != 0) in.raw().fail();
    if (flags & flag_edits_url) edit.url = in.text();
    if (flags & flag_edits_payload) edit.payload = static_cast<std::uint32_t>(in.raw().varint());
    edit.at = in.time();
    edits.push_back(std::move(edit));
  }
  return edits;
}

Schedule schedule(PayloadReader& in) {
  Schedule schedule;
  schedule.interval = in.seconds();
  schedule.time = in.time();
  schedule.waits = in.raw().u8() != 0;
  return schedule;
}

}  // namespace

std::optional<GidDelta> decode_delta(std::string_view payload) {
  PayloadReader in(payload);
  GidDelta decoded;
  TransDelta& delta = decoded.delta;
  decoded.gid = Gid{in.text()};
  const std::uint64_t at = in.raw().u64();
  in.set_base(at);
  delta.at = from_bits(at);
  const std::uint64_t fields = in.raw().varint();
  if ((fields & ~std::uint64_t{fields_known}) != 0) return std::nullopt;
  if (fields & field_status) delta.status = in.enumerator<TransStatus>(in.raw().u8());
  if (fields & field_rollback_reason) delta.rollback_reason = in.text();
  if (fields & field_result) delta.result = in.text();
  if (fields & field_custom_data) delta.custom_data = in.text();
  if (fields & field_options) delta.options = in.options();
  if (fields & field_submit_time) delta.submit_time = in.time();
  if (fields & field_schedule) delta.schedule = schedule(in);
  if (fields & field_retry_count) delta.retry_count = in.raw().zigzag();
  if (fields & field_branch_changes) delta.branch_changes = branch_changes(in);
  if (fields & field_payloads) delta.new_payloads = in.payloads();
  if (fields & field_branches) delta.new_branches = in.branches();
  if (fields & field_row_edits) delta.row_edits = row_edits(in);
  if (!in.raw().done()) return std::nullopt;
  return decoded;
}

}  // namespace concerto::persist
