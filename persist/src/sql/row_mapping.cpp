#include "row_mapping.hpp"

#include <array>
#include <unordered_map>
#include <utility>

#include <concerto/base/utf8.hpp>
#include <concerto/engine/error.hpp>

#include "../stored_checks.hpp"
#include "options_json.hpp"
#include "owner_column.hpp"

namespace concerto::persist {
namespace {

constexpr std::array<std::string_view, 5> type_names = {"saga", "msg", "tcc", "xa", "workflow"};

/// Nullopt also for a time that a WallTime cannot hold, such as PostgreSQL's infinity.
std::optional<WallTime> time_from(const RowClock& clock, const std::optional<RowTime>& time) {
  constexpr RowTime year_1900 = -2'208'988'800, year_2200 = 7'258'118'400;
  if (!time || *time < year_1900 || *time > year_2200) return std::nullopt;
  return clock.from_row(*time);
}

/// The branches of a transaction with their payloads. Rows with equal payloads share one, as an
/// action and its compensation do, and as the subscribers of a topic do.
class BranchReader {
 public:
  BranchReader(Transaction& trans, const RowClock& clock, std::size_t rows)
      : trans_(trans), clock_(clock) {
    trans_.branches.reserve(rows);
    trans_.payloads.reserve(rows);  // `known_` refers to the payloads.
  }

  /// Error store_damaged.
  Result<> add(BranchRow row) {
    const auto status = branch_status_from(row.status);
    if (!status) {
      return make_error(EngineErrc::store_damaged, "branch " + row.branch_id + " " + row.op +
                                                       " has the status '" + row.status + "'");
    }
    Branch branch;
    branch.status = *status;
    branch.branch_id = BranchId{std::move(row.branch_id)};
    branch.op = std::move(row.op);
    branch.url = std::move(row.url);
    branch.payload = payload_index(std::move(row.bin_data));
    branch.create_time = time_from(clock_, row.create_time);
    branch.update_time = time_from(clock_, row.update_time);
    branch.finish_time = time_from(clock_, row.finish_time);
    trans_.branches.push_back(std::move(branch));
    return ok();
  }

 private:
  std::uint32_t payload_index(std::string payload) {
    const auto known = known_.find(payload);
    if (known != known_.end()) return known->second;
    const auto index = static_cast<std::uint32_t>(trans_.payloads.size());
    trans_.payloads.push_back(std::move(payload));
    known_.emplace(trans_.payloads.back(), index);
    return index;
  }

  Transaction& trans_;
  const RowClock& clock_;
  std::unordered_map<std::string_view, std::uint32_t> known_;
};

}  // namespace

std::string trans_type_text(TransType type) {
  const auto number = static_cast<std::size_t>(type);
  if (number >= 1 && number <= type_names.size()) return std::string(type_names[number - 1]);
  return std::to_string(number);
}

TransType trans_type_from(std::string_view text) noexcept {
  for (std::size_t i = 0; i < type_names.size(); ++i) {
    if (type_names[i] == text) return static_cast<TransType>(i + 1);
  }
  const auto type = static_cast<TransType>(text.size() == 1 ? text[0] - '0' : 0);
  return is_mode_number(type) ? type : static_cast<TransType>(trans_types - 1);
}

Result<Transaction> RowReader::read(StoredTrans stored) const {
  TransRow& row = stored.row;
  const auto status = trans_status_from(row.status);
  if (!status) {
    return make_error(EngineErrc::store_damaged, "status is '" + row.status + "'");
  }
  CONCERTO_TRY(OptionsColumn column, read_options(row.options));
  CONCERTO_CHECK(add_ext_headers(row.ext_data, column.options.branch_headers));
  Transaction trans;
  trans.type = trans_type_from(row.trans_type);
  trans.status = *status;
  trans.protocol = protocol_from(row.protocol).value_or(Protocol::http);
  trans.options = std::move(column.options);
  trans.query_prepared = std::move(row.query_prepared);
  trans.custom_data = std::move(row.custom_data);
  trans.result = std::move(row.result);
  trans.rollback_reason = std::move(row.rollback_reason);
  trans.create_time = time_from(clock, row.create_time).value_or(WallTime{});
  trans.update_time = time_from(clock, row.update_time).value_or(WallTime{});
  trans.finish_time = time_from(clock, row.finish_time);
  trans.rollback_time = time_from(clock, row.rollback_time);
  trans.next_cron_interval = std::chrono::seconds{row.next_cron_interval};
  trans.next_cron_time = time_from(clock, row.next_cron_time).value_or(WallTime{});
  const Holder holder = holder_of(row.owner, this_node);
  const bool rests = holder == Holder::nobody || (holder == Holder::reference && stored.is_due);
  trans.waits = rests && !is_final(trans.status);
  trans.retry_count = column.retry_count;
  BranchReader branches(trans, clock, stored.branches.size());
  for (BranchRow& branch : stored.branches) CONCERTO_CHECK(branches.add(std::move(branch)));
  CONCERTO_CHECK(check_stored(trans));
  trans.gid = Gid{std::move(row.gid)};
  return trans;
}

std::string fitting_text(std::string_view text, std::size_t chars_max) {
  std::string fitting = to_utf8(text);
  std::erase(fitting, '\0');
  std::size_t bytes = 0;
  for (std::size_t chars = 0; chars < chars_max && bytes < fitting.size(); ++chars) {
    bytes += utf8_sequence_bytes(std::string_view(fitting).substr(bytes));
  }
  fitting.resize(bytes);
  return fitting;
}

bool fits_column(std::string_view text, std::size_t chars_max) noexcept {
  std::size_t chars = 0;
  while (!text.empty()) {
    const std::size_t bytes = utf8_sequence_bytes(text);
    if (bytes == 0 || text.front() == '\0' || ++chars > chars_max) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

}  // namespace concerto::persist
