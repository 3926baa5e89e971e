#include <limits>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/masked_url.hpp>
#include <concerto/base/utf8.hpp>
#include <concerto/protocol/alert_hook.hpp>
#include <concerto/transport/url.hpp>

namespace concerto::net {

Result<> check_alert_url(std::string_view url) {
  if (url.empty()) return ok();
  const auto parsed = parse_url(url);
  if (!parsed) {
    return make_error(Errc::invalid_request,
                      "expected an http or https URL, found '" + masked_url_beyond_host(url) + "'");
  }
  return ok();
}

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
  const std::string_view status = to_string(trouble.trans.status);
  std::string key = gid + '\n' + std::string(status) + '\n' +
                    std::to_string(std::hash<std::string_view>{}(trouble.url));
  std::int64_t& told = told_level(key);
  if (trouble.retry_count <= told) return;
  told = trouble.retry_count;
  if (tasks_.size() >= in_flight_max) {
    note_lost(gid, key, told, "alert dropped: too many are on their way");
    return;
  }
  boost::json::object body;
  body["branch"] = to_utf8(trouble.url);
  body["error"] = to_utf8(trouble.error);
  body["gid"] = to_utf8(gid);
  body["retry_count"] = trouble.retry_count;
  body["status"] = status;
  tasks_.spawn(send(gid, std::move(key), told, boost::json::serialize(body)));
}

/// The retry count with which this trouble was last reported. Before the first report it is less
/// than every count.
std::int64_t& AlertHook::told_level(const std::string& trouble) {
  if (told_.size() >= told_max / 2) told_before_ = std::exchange(told_, Told{});
  const auto [entry, is_new] = told_.try_emplace(trouble, std::numeric_limits<std::int64_t>::min());
  if (is_new) {
    const auto before = told_before_.find(trouble);
    if (before != told_before_.end()) entry->second = before->second;
  }
  return entry->second;
}

/// The path and the query of the hook's URL may be its secret.
std::string AlertHook::without_secrets(std::string text) const {
  for (const std::string& url : {options_.url, masked_url(options_.url)}) {
    const std::string shown = masked_url_beyond_host(url);
    for (auto at = text.find(url); at != text.npos; at = text.find(url, at + shown.size())) {
      text.replace(at, url.size(), shown);
    }
  }
  return masked_urls(text);
}

Task<void> AlertHook::send(std::string gid, std::string trouble, std::int64_t level,
                           std::string body) {
  HttpClientRequest request;
  request.method = "POST";
  request.url = options_.url;
  request.headers.add("Content-Type", "application/json");
  request.body = body;
  const auto answer = co_await client_.send(std::move(request), timers_.now() + options_.timeout);
  if (!answer) {
    note_lost(gid, trouble, level,
              "alert not delivered: " + without_secrets(answer.error().detail));
  } else if (answer->status >= 300) {
    note_lost(gid, trouble, level, "the alert hook answered " + std::to_string(answer->status));
  } else {
    probe_.sent.add();
  }
}

void AlertHook::note_lost(const std::string& gid, const std::string& trouble, std::int64_t level,
                          const std::string& why) {
  probe_.lost.add();
  // The next pass reports the trouble again, unless a higher count was reported meanwhile.
  if (std::int64_t& told = told_level(trouble); told == level) {
    told = std::numeric_limits<std::int64_t>::min();
  }
  const SteadyTime now = timers_.now();
  if (now < next_line_) {
    ++lost_without_line_;
    return;
  }
  next_line_ = now + lines_interval;
  const std::uint64_t others = std::exchange(lost_without_line_, 0);
  const std::string count =
      others == 0 ? "" : " (and " + std::to_string(others) + " more since the last such line)";
  observer_.log(LogLevel::warn, gid, why + count);
}

}  // namespace concerto::net
