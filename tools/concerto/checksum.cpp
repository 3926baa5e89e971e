#include "checksum.hpp"

#include <array>
#include <cstddef>
#include <optional>

namespace concerto::tools {
namespace {

/// FNV-1a of 64 bits. Each text is preceded by its length.
class Sum {
 public:
  void number(std::int64_t value) {
    for (std::size_t shift = 0; shift < 64; shift += 8) {
      byte(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> shift));
    }
  }
  void text(std::string_view value) {
    number(static_cast<std::int64_t>(value.size()));
    for (const char c : value) byte(static_cast<std::uint8_t>(c));
  }
  void time(const std::optional<WallTime>& value) {
    number(value ? 1 : 0);
    if (value) number(value->time_since_epoch().count());
  }
  template <class Enum>
  void enumerator(Enum value) {
    number(static_cast<std::int64_t>(value));
  }
  std::uint64_t value() const noexcept { return sum_; }

 private:
  void byte(std::uint8_t value) { sum_ = (sum_ ^ value) * 0x100000001b3U; }

  std::uint64_t sum_ = 0xcbf29ce484222325U;
};

void add_options(Sum& sum, const TransOptions& options) {
  sum.number(options.wait_result ? 1 : 0);
  sum.number(options.concurrent ? 1 : 0);
  sum.number(options.timeout_to_fail.count());
  sum.number(options.request_timeout.count());
  sum.number(options.retry_interval.count());
  sum.number(options.retry_limit);
  sum.number(static_cast<std::int64_t>(options.branch_headers.size()));
  for (const auto& [name, value] : options.branch_headers) {
    sum.text(name);
    sum.text(value);
  }
}

void add_branch(Sum& sum, const Branch& branch, const Transaction& trans) {
  sum.text(branch.branch_id.view());
  sum.text(branch.op);
  sum.text(branch.url);
  sum.text(branch.payload < trans.payloads.size() ? trans.payloads[branch.payload] : "");
  sum.enumerator(branch.status);
  sum.time(branch.create_time);
  sum.time(branch.update_time);
  sum.time(branch.finish_time);
}

}  // namespace

std::uint64_t checksum(const Transaction& trans, Waits waits) {
  Sum sum;
  sum.text(trans.gid.view());
  sum.enumerator(trans.type);
  sum.enumerator(trans.status);
  sum.enumerator(trans.protocol);
  add_options(sum, trans.options);
  for (const std::string* text : std::array{&trans.query_prepared, &trans.custom_data,
                                            &trans.result, &trans.rollback_reason}) {
    sum.text(*text);
  }
  for (const auto& time : std::array<std::optional<WallTime>, 6>{
           trans.create_time, trans.update_time, trans.submit_time, trans.finish_time,
           trans.rollback_time, trans.next_cron_time}) {
    sum.time(time);
  }
  sum.number(trans.next_cron_interval.count());
  sum.number(trans.retry_count);
  if (waits == Waits::counts) sum.number(trans.waits ? 1 : 0);
  sum.number(static_cast<std::int64_t>(trans.branches.size()));
  for (const Branch& branch : trans.branches) add_branch(sum, branch, trans);
  return sum.value();
}

std::uint64_t checksum(const KvRecord& record) {
  Sum sum;
  sum.text(record.cat);
  sum.text(record.key);
  sum.text(record.value);
  sum.number(record.version);
  sum.time(record.create_time);
  sum.time(record.update_time);
  return sum.value();
}

std::uint64_t checksum(std::string_view text) {
  Sum sum;
  sum.text(text);
  return sum.value();
}

}  // namespace concerto::tools
