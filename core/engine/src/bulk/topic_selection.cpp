#include "bulk/topic_selection.hpp"

#include <algorithm>
#include <utility>

#include <concerto/engine/bulk_actions.hpp>

#include "topic_records.hpp"

namespace concerto {

Async<> select_topic(Coordinator& coordinator, std::string topic, ListFilter& filter) {
  if (topic.empty()) co_return ok();
  CONCERTO_CO_TRY(const std::vector<KvRecord> found,
                  co_await coordinator.find_kv(topic_category, topic));
  if (found.empty()) {
    co_return make_error(Errc::invalid_request, "topic: there is no topic '" + topic + "'");
  }
  CONCERTO_CO_TRY(std::vector<std::string> urls, subscribers_in(found.front()));
  filter.accepts = [accepts = std::move(filter.accepts),
                    urls = std::move(urls)](const Transaction& trans) {
    const auto is_subscribed = [&urls](const Branch& row) {
      return std::ranges::find(urls, row.url) != urls.end();
    };
    return trans.type == TransType::msg && std::ranges::any_of(trans.branches, is_subscribed) &&
           (!accepts || accepts(trans));
  };
  co_return ok();
}

Async<> TopicsOfUrls::read(Coordinator& coordinator) {
  CONCERTO_CO_TRY(const std::vector<KvRecord> records,
                  co_await coordinator.find_kv(topic_category, {}));
  for (const KvRecord& record : records) {
    CONCERTO_CO_TRY(std::vector<std::string> urls, subscribers_in(record));
    for (std::string& url : urls) names_[std::move(url)].insert(record.key);
  }
  co_return ok();
}

std::set<std::string_view> TopicsOfUrls::of(const Transaction& trans) const {
  std::set<std::string_view> topics;
  if (trans.type != TransType::msg) return topics;
  for (const Branch& row : trans.branches) {
    const auto found = names_.find(row.url);
    if (found != names_.end()) topics.insert(found->second.begin(), found->second.end());
  }
  return topics;
}

}  // namespace concerto
