#include "topics.hpp"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <concerto/base/json_tree.hpp>
#include <concerto/base/masked_url.hpp>
#include <concerto/engine/request.hpp>

#include "text.hpp"
#include "topic_records.hpp"

namespace concerto {
namespace {

namespace json = boost::json;

const std::string category = topic_category;
/// A change that another change has overtaken is tried again, on the new list.
constexpr int attempts_max = 8;

Error refused(std::string text) {
  return make_error(EngineErrc::invalid_entry, std::move(text));
}

Result<> check_count(const char* field, std::size_t count, const char* what, std::size_t limit) {
  if (count <= limit) return ok();
  return refused(std::string(field) + " has " + std::to_string(count) + " " + what + ", at most " +
                 std::to_string(limit) + " are allowed");
}

Result<> check_entry(const std::string& topic, const std::string& url, const std::string& remark,
                     const BranchCaller& branches) {
  if (topic.empty()) return refused("empty topic");
  if (url.empty()) return refused("empty url");
  CONCERTO_CHECK(check_count("topic", count_chars(topic), "characters", topic_chars_max));
  if (has_control(topic)) return refused("topic has control characters");
  CONCERTO_CHECK(check_count("url", url.size(), "bytes", url_bytes_max));
  CONCERTO_CHECK(check_count("remark", remark.size(), "bytes", remark_bytes_max));
  // A msg of protocol grpc may have URLs of http too, so this check is right for every msg.
  const Result<unsigned> way = branches.way_of(Protocol::grpc, url);
  return way ? ok() : Result<>(refused("url: " + masked_urls(way.error().detail)));
}

struct Subscriber {
  std::string url;
  std::string remark;
};

std::string text_at(JsonValue object, std::string_view key) {
  const auto value = object.find(key);
  return value && value->is(JsonKind::text) ? std::string(value->text()) : std::string();
}

Result<std::vector<Subscriber>> read(const KvRecord& record) {
  std::vector<Subscriber> subscribers;
  JsonTree list;
  if (!list.parse(record.value) || !list.root().is(JsonKind::array)) {
    return make_error(EngineErrc::store_damaged, "topic '" + record.key + "' is stored as '" +
                                                     masked_urls(record.value) +
                                                     "', which is no list");
  }
  for (const JsonValue entry : list.root()) {
    if (!entry.is(JsonKind::object)) continue;
    subscribers.push_back({text_at(entry, "url"), text_at(entry, "remark")});
  }
  return subscribers;
}

std::string write(const std::vector<Subscriber>& subscribers) {
  json::array list;
  for (const Subscriber& subscriber : subscribers) {
    list.push_back({{"url", subscriber.url}, {"remark", subscriber.remark}});
  }
  return json::serialize(list);
}

auto find_url(std::vector<Subscriber>& subscribers, const std::string& url) {
  return std::find_if(subscribers.begin(), subscribers.end(),
                      [&](const Subscriber& subscriber) { return subscriber.url == url; });
}

/// Finds a subscriber by its URL; or by its masked URL, which pages show, if no other subscriber
/// has the same masked URL.
auto find_shown_url(std::vector<Subscriber>& subscribers, const std::string& url) {
  const auto exact = find_url(subscribers, url);
  if (exact != subscribers.end()) return exact;
  const auto looks_so = [&](const Subscriber& each) { return masked_url(each.url) == url; };
  const auto first = std::find_if(subscribers.begin(), subscribers.end(), looks_so);
  if (first == subscribers.end()) return first;
  const auto second = std::find_if(std::next(first), subscribers.end(), looks_so);
  return second == subscribers.end() ? first : subscribers.end();
}

bool was_overtaken(const Result<>& change) {
  return !change && (change.error().code == EngineErrc::key_exists ||
                     change.error().code == EngineErrc::key_not_found);
}

}  // namespace

std::optional<std::string_view> topic_of(std::string_view action) noexcept {
  constexpr std::string_view prefix = "topic://";
  if (!action.starts_with(prefix)) return std::nullopt;
  return action.substr(prefix.size());
}

Result<std::vector<std::string>> subscribers_in(const KvRecord& record) {
  CONCERTO_TRY(std::vector<Subscriber> subscribers, read(record));
  std::vector<std::string> urls;
  for (Subscriber& subscriber : subscribers) urls.push_back(std::move(subscriber.url));
  return urls;
}

Async<std::optional<KvRecord>> Topics::find(std::string topic) {
  if (topic.empty()) co_return std::optional<KvRecord>();  // An empty key would mean any key.
  CONCERTO_CO_TRY(std::vector<KvRecord> found, co_await store_.find_kv(category, std::move(topic)));
  if (found.empty()) co_return std::optional<KvRecord>();
  co_return std::optional<KvRecord>(std::move(found.front()));
}

Async<> Topics::subscribe(std::string topic, std::string url, std::string remark) {
  CONCERTO_CO_CHECK(check_entry(topic, url, remark, branches_));
  Result<> changed = ok();
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    CONCERTO_CO_TRY(std::optional<KvRecord> found, co_await find(topic));
    std::vector<Subscriber> subscribers;
    if (found) {
      CONCERTO_CO_TRY(subscribers, read(*found));
    }
    if (find_url(subscribers, url) != subscribers.end()) co_return refused("this url exists");
    subscribers.push_back({url, remark});
    CONCERTO_CO_CHECK(check_count("topic", subscribers.size(), "subscribers", subscribers_max));
    KvRecord record;
    if (found) record = std::move(*found);
    record.cat = category;
    record.key = topic;
    record.value = write(subscribers);
    CONCERTO_CO_CHECK(check_count("the list of subscribers", record.value.size(), "bytes",
                                  subscribers_bytes_max));
    record.update_time = clock_.wall_now();
    if (!found) record.create_time = record.update_time;
    if (found) {
      changed = co_await store_.update_kv(std::move(record));
    } else {
      changed = co_await store_.create_kv(std::move(record));
    }
    if (!was_overtaken(changed)) break;
  }
  co_return changed;
}

Async<> Topics::unsubscribe(std::string topic, std::string url) {
  if (topic.empty()) co_return refused("empty topic");
  if (url.empty()) co_return refused("empty url");
  Result<> changed = ok();
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    CONCERTO_CO_TRY(std::optional<KvRecord> found, co_await find(topic));
    if (!found) co_return refused(std::string(wording_.no_such_topic));
    CONCERTO_CO_TRY(std::vector<Subscriber> subscribers, read(*found));
    if (subscribers.empty()) co_return refused("this topic is empty");
    const auto place = find_shown_url(subscribers, url);
    if (place == subscribers.end()) co_return refused(std::string(wording_.no_such_url));
    subscribers.erase(place);
    found->value = write(subscribers);
    found->update_time = clock_.wall_now();
    changed = co_await store_.update_kv(std::move(*found));
    if (!was_overtaken(changed)) break;
  }
  co_return changed;
}

Async<> Topics::remove(std::string topic) {
  Result<> removed = co_await store_.delete_kv(category, std::move(topic));
  if (!removed && removed.error().code == EngineErrc::key_not_found) {
    co_return make_error(EngineErrc::key_not_found, "storage: NotFound");
  }
  co_return removed;
}

Async<std::vector<std::string>> Topics::subscribers(std::string topic) {
  CONCERTO_CO_TRY(std::optional<KvRecord> found, co_await find(std::move(topic)));
  if (!found) co_return std::vector<std::string>();
  co_return subscribers_in(*found);
}

}  // namespace concerto
