#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/core/masked_url.hpp>
#include <concerto/net/alert_hook.hpp>

#include "api/utf8.hpp"

namespace concerto::net {

AlertHook::AlertHook(Executor executor, Timers& timers, HttpClient& client, Observer& observer,
                     AlertOptions options)
    : timers_(timers),
      client_(client),
      observer_(observer),
      options_(std::move(options)),
      tasks_(std::move(executor)) {}

void AlertHook::report(const BranchTrouble& trouble) {
  if (options_.url.empty() || trouble.retry_count < options_.retry_limit) return;
  const std::string& gid = trouble.trans.gid.str();
  if (tasks_.size() >= in_flight_max) {
    observer_.log(LogLevel::warn, gid, "alert dropped: too many are on their way");
    return;
  }
  boost::json::object body;
  body["branch"] = to_utf8(trouble.url);
  body["error"] = to_utf8(trouble.error);
  body["gid"] = to_utf8(gid);
  body["retry_count"] = trouble.retry_count;
  body["status"] = to_string(trouble.trans.status);
  tasks_.spawn(send(gid, boost::json::serialize(body)));
}

Task<void> AlertHook::send(std::string gid, std::string body) {
  HttpClientRequest request;
  request.method = "POST";
  request.url = options_.url;
  request.headers.add("Content-Type", "application/json");
  request.body = body;
  const auto answer = co_await client_.send(std::move(request), timers_.now() + options_.timeout);
  if (!answer) {
    observer_.log(LogLevel::warn, gid,
                  "alert not delivered: " + masked_urls(answer.error().detail));
  } else if (answer->status >= 300) {
    observer_.log(LogLevel::warn, gid, "the alert hook answered " + std::to_string(answer->status));
  }
}

}  // namespace concerto::net
