#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <concerto/engine/store.hpp>

/// A store of your own: all that a store has to do, on the simplest of all data. The data outlives
/// the store, as files do. `concerto::Store` says what each function promises, and the tests of
/// stores (store_test.cpp) hold it to that. Thread-safe; a store that waits for a disk or a server
/// does so on threads of its own, and resumes its caller on the caller's shard.
class MapStore final : public concerto::Store {
 public:
  template <class T = void>
  using Async = concerto::Async<T>;
  template <class T = void>
  using Result = concerto::Result<T>;

  struct Data {
    std::map<std::uint64_t, concerto::Transaction> transactions;  ///< in the order of creation
    std::map<concerto::Gid, std::uint64_t> numbers;
    std::uint64_t last_number = 0;
    std::map<std::pair<std::string, std::string>, concerto::KvRecord> kv;
  };

  explicit MapStore(Data& data) : data_(data) {}

  // Transactions.

  Async<> commit(const concerto::Change& change) override {
    const std::lock_guard lock(mutex_);
    if (const auto* created = std::get_if<concerto::CreateTrans>(&change.what)) {
      co_return create(*created->trans);
    }
    co_return update(std::get<concerto::UpdateTrans>(change.what));
  }

  Async<std::optional<concerto::Transaction>> load(concerto::Gid gid) override {
    const std::lock_guard lock(mutex_);
    std::optional<concerto::Transaction> loaded;
    if (const auto found = data_.numbers.find(gid); found != data_.numbers.end()) {
      loaded = data_.transactions.at(found->second);
    }
    co_return loaded;
  }

  Async<concerto::UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    concerto::UnfinishedPage page;
    for (auto at = data_.transactions.lower_bound(from); at != data_.transactions.end(); ++at) {
      if (is_final(at->second.status)) continue;
      if (page.transactions.size() == std::max<std::size_t>(limit, 1)) {
        page.next = at->first;
        break;
      }
      page.transactions.push_back(unfinished_of(at->second));
    }
    co_return page;
  }

  Async<concerto::TransPage> list(concerto::ListFilter filter, std::string position,
                                  std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    concerto::TransPage page;
    std::uint64_t before = data_.last_number + 1;
    if (!position.empty() && !read(position, before)) {
      co_return concerto::make_error(concerto::Errc::invalid_request,
                                     "position '" + position + "' is not one of this list");
    }
    std::size_t bytes = 0;
    auto at = data_.transactions.lower_bound(before);
    while (at != data_.transactions.begin()) {
      --at;
      if (!matches(filter, at->second)) continue;
      if (page.transactions.size() == std::max<std::size_t>(limit, 1) ||
          bytes >= concerto::page_bytes_max) {
        page.next_position = std::to_string(at->first + 1);
        break;
      }
      concerto::Transaction shown = at->second;
      shown.payloads.clear();
      shown.branches.clear();
      bytes += sizeof shown + shown.custom_data.size() + shown.result.size() +
               shown.rollback_reason.size() + shown.query_prepared.size();
      page.transactions.push_back(std::move(shown));
    }
    co_return page;
  }

  // Keys and values: topics, and what others keep beside transactions.

  Async<std::vector<concerto::KvRecord>> find_kv(std::string cat, std::string key) override {
    const std::lock_guard lock(mutex_);
    std::vector<concerto::KvRecord> found;
    for (const auto& [id, record] : data_.kv) {
      const bool fits = (cat.empty() || id.first == cat) && (key.empty() || id.second == key);
      if (fits) found.push_back(record);
    }
    co_return found;
  }

  Async<concerto::KvPage> scan_kv(std::string cat, std::string position,
                                  std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    concerto::KvPage page;
    std::size_t bytes = 0;
    auto at =
        position.empty() ? data_.kv.lower_bound({cat, ""}) : data_.kv.upper_bound({cat, position});
    for (; at != data_.kv.end() && at->first.first == cat; ++at) {
      if (page.records.size() == std::max<std::size_t>(limit, 1) ||
          bytes >= concerto::page_bytes_max) {
        page.next_position = page.records.back().key;
        break;
      }
      page.records.push_back(at->second);
      bytes += at->second.value.size();
    }
    co_return page;
  }

  Async<> create_kv(concerto::KvRecord record) override {
    const std::lock_guard lock(mutex_);
    std::pair id{record.cat, record.key};
    if (data_.kv.emplace(std::move(id), record).second) co_return concerto::ok();
    co_return concerto::make_error(concerto::EngineErrc::key_exists, record.key + " exists");
  }

  Async<> update_kv(concerto::KvRecord record) override {
    const std::lock_guard lock(mutex_);
    const auto found = data_.kv.find({record.cat, record.key});
    if (found == data_.kv.end() || found->second.version != record.version) {
      co_return concerto::make_error(concerto::EngineErrc::key_not_found, "no " + record.key);
    }
    found->second.value = std::move(record.value);
    found->second.update_time = record.update_time;
    ++found->second.version;
    co_return concerto::ok();
  }

  Async<> delete_kv(std::string cat, std::string key) override {
    const std::lock_guard lock(mutex_);
    if (data_.kv.erase({cat, key}) == 1) co_return concerto::ok();
    co_return concerto::make_error(concerto::EngineErrc::key_not_found, "no " + key);
  }

 private:
  Result<> create(const concerto::Transaction& trans) {
    if (data_.numbers.contains(trans.gid)) {
      return concerto::make_error(concerto::EngineErrc::gid_exists, trans.gid.str() + " exists");
    }
    data_.numbers.emplace(trans.gid, ++data_.last_number);
    data_.transactions.emplace(data_.last_number, trans);
    return concerto::ok();
  }

  /// A change has its precondition: the status, and rows that do not exist yet.
  Result<> update(const concerto::UpdateTrans& change) {
    const auto found = data_.numbers.find(change.gid);
    if (found == data_.numbers.end()) {
      return concerto::make_error(concerto::EngineErrc::trans_not_found, "no " + change.gid.str());
    }
    concerto::Transaction& trans = data_.transactions.at(found->second);
    if (trans.status != change.expected || !may_change(trans, change.delta)) {
      return concerto::make_error(concerto::EngineErrc::status_mismatch,
                                  change.gid.str() + " is " + std::string(to_string(trans.status)));
    }
    if (!fits(trans, change.delta)) {
      return concerto::make_error(concerto::Errc::invalid_request, "no such branch");
    }
    std::vector<std::pair<std::string_view, std::string_view>> rows;
    for (const auto& row : trans.branches) rows.emplace_back(row.branch_id.view(), row.op);
    for (const auto& row : change.delta.new_branches) {
      const std::pair<std::string_view, std::string_view> id{row.branch_id.view(), row.op};
      if (std::find(rows.begin(), rows.end(), id) != rows.end()) {
        return concerto::make_error(concerto::EngineErrc::branch_exists, row.branch_id.str());
      }
      rows.push_back(id);
    }
    apply(trans, change.delta);
    return concerto::ok();
  }

  /// Of a finished transaction only the schedule may change.
  static bool may_change(const concerto::Transaction& trans, concerto::TransDelta delta) {
    if (!is_final(trans.status)) return true;
    const bool reschedules = delta.schedule.has_value();
    delta.at = {};
    delta.schedule.reset();
    return reschedules && delta == concerto::TransDelta();
  }

  static bool matches(const concerto::ListFilter& filter, const concerto::Transaction& trans) {
    return (filter.statuses.empty() || filter.statuses.contains(trans.status)) &&
           (!filter.type || *filter.type == trans.type) &&
           (!filter.created_from || trans.create_time >= *filter.created_from) &&
           (!filter.created_to || trans.create_time <= *filter.created_to) &&
           (!filter.accepts || filter.accepts(trans));
  }

  static concerto::UnfinishedTrans unfinished_of(const concerto::Transaction& trans) {
    return {.gid = trans.gid,
            .type = trans.type,
            .status = trans.status,
            .waits = trans.waits,
            .create_time = trans.create_time,
            .next_cron_time = trans.next_cron_time,
            .timeout_to_fail = trans.options.timeout_to_fail,
            .next_cron_interval = trans.next_cron_interval,
            .submit_time = trans.submit_time,
            .custom_data = trans.custom_data};
  }

  static bool read(const std::string& text, std::uint64_t& number) {
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && at == end;
  }

  Data& data_;
  std::mutex mutex_;
};
