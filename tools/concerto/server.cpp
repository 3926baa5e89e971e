#include "server.hpp"

#include <algorithm>
#include <exception>
#include <thread>
#include <utility>

#include <boost/json/serialize.hpp>

#include <concerto/base/task_group.hpp>
#include <concerto/transport/http_tls.hpp>
#include <concerto/transport/percent.hpp>
#include <concerto/transport/url.hpp>

#include "coordinator_answers.hpp"
#include "json_members.hpp"
#include "time_text.hpp"
#include "verb_error.hpp"

namespace concerto::tools {
namespace {

/// A page of a list has 8 MiB, and what follows has its own limits in the coordinator.
constexpr std::size_t answer_bytes_max = std::size_t{64} << 20;

/// How often, and after which pause, a coordinator is asked again that has had too many requests.
constexpr int rounds_max = 60;
constexpr std::chrono::seconds round_pause{1};

/// An answer that was never asked for has the status 0.
bool is_to_be_asked(const Result<net::HttpClientResponse>& answer) {
  return answer && (answer->status == 0 || answer->status == too_many_requests);
}

net::HttpClientOptions client_options() {
  net::HttpClientOptions options;
  options.body_bytes_max = answer_bytes_max;
  options.redirects_max = 0;  // a coordinator does not redirect, and the token is for it alone
  return options;
}

}  // namespace

/// Finds the address of the coordinator under the name in its certificate.
class Server::NamedResolver final : public net::HostResolver {
 public:
  NamedResolver(net::SystemHostResolver system, std::string name, std::string connect_to)
      : system_(std::move(system)), name_(std::move(name)), connect_to_(std::move(connect_to)) {}

  Async<net::HostAddressList> resolve(std::string host) override {
    return system_.resolve(host == name_ ? connect_to_ : std::move(host));
  }
  Async<net::HostAddressList> resolve_while(
      std::string host, std::shared_ptr<net::LookupInterest> interest) override {
    return system_.resolve_while(host == name_ ? connect_to_ : std::move(host),
                                 std::move(interest));
  }

 private:
  net::SystemHostResolver system_;
  const std::string name_;
  const std::string connect_to_;
};

Server::Server(const ServerPlace& place, std::string root, std::shared_ptr<asio::ssl::context> tls,
               std::unique_ptr<PeerCertificate> peer, net::HttpProxyRules proxies,
               std::string connect_to)
    : place_(place),
      peer_(std::move(peer)),
      root_(std::move(root)),
      resolver_(std::make_unique<NamedResolver>(net::SystemHostResolver(io_.get_executor(), dns_),
                                                place.server_name, std::move(connect_to))),
      http_(io_.get_executor(), timers_, *resolver_, std::move(tls), std::move(proxies),
            client_options()) {}

Server::~Server() {
  run(http_.close());
}

Result<std::unique_ptr<Server>> Server::open(const ServerPlace& place) {
  CONCERTO_TRY(const net::Url url, net::parse_url(place.url));
  std::shared_ptr<asio::ssl::context> tls;
  std::unique_ptr<PeerCertificate> peer;
  std::string root = place.url;
  if (url.is_https) {
    auto made = net::make_tls_client_context({place.ca, place.cert, place.key});
    if (!made) return make_error(VerbErrc::usage, made.error().detail);
    tls = std::move(*made);
    peer = std::make_unique<PeerCertificate>(tls);
    if (!place.server_name.empty()) {
      root = "https://" + place.server_name + ":" + std::string(url.port) + std::string(url.path);
      if (!net::parse_url(root)) {
        return make_error(VerbErrc::usage, "server name: '" + place.server_name + "' is no name");
      }
    }
  }
  auto proxies = net::HttpProxyRules::from_environment();
  if (!proxies) return make_error(VerbErrc::usage, proxies.error().detail);
  return std::unique_ptr<Server>(new Server(place, std::move(root), std::move(tls), std::move(peer),
                                            std::move(*proxies), std::string(url.host)));
}

void Server::run(Task<void> task) {
  std::exception_ptr thrown;
  bool ended = false;
  asio::co_spawn(io_, std::move(task), [&](std::exception_ptr exception) {
    thrown = std::move(exception);
    ended = true;
  });
  const auto work = asio::make_work_guard(io_);
  io_.restart();
  while (!ended) io_.run_one();
  if (thrown) std::rethrow_exception(thrown);
}

void Server::note_date(const net::HttpHeaders& headers) {
  const auto date = headers.find("Date");
  const auto time = date ? read_http_date(*date) : std::nullopt;
  if (!time) return;
  date_ = *time;
  date_at_ = clock_.steady_now();
}

WallTime Server::now() const {
  if (date_ == WallTime{}) return clock_.wall_now();
  return date_ + (clock_.steady_now() - date_at_);
}

net::HttpClientRequest Server::request_of(std::string_view method, std::string_view path,
                                          const Query& query) const {
  net::HttpClientRequest request;
  request.method = method;
  request.url = root_ + std::string(path);
  char separator = '?';
  for (const auto& [name, value] : query) {
    request.url += separator;
    request.url.append(name).append("=");
    net::append_query_escaped(request.url, value);
    separator = '&';
  }
  request.headers.add("Accept", "application/json");
  request.headers.add("User-Agent", "concerto");
  if (!place_.token.empty()) request.headers.add("Authorization", "Bearer " + place_.token);
  return request;
}

Task<void> Server::keep_answer(Async<net::HttpClientResponse> sent, Answer& to) {
  to = co_await std::move(sent);
}

Server::Answer Server::exchange(net::HttpClientRequest request, const std::string& body,
                                std::string_view reason) {
  if (!reason.empty()) {
    if (!net::is_legal_header_value(reason)) {
      return make_error(VerbErrc::usage, "the reason has a control character");
    }
    request.headers.add("X-Concerto-Reason", reason);
  }
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  request.body = body;

  Answer answer;
  run(keep_answer(http_.send(std::move(request), timers_.now() + place_.timeout), answer));
  if (answer) note_date(answer->headers);
  return answer;
}

Error Server::error_of_exchange(const Error& error, bool changes) const {
  if (error.code.category() == verb_category()) return error;
  const bool may_have_happened =
      changes && error.code == make_error_condition(Condition::outcome_unknown);
  if (may_have_happened) {
    return make_error(VerbErrc::failed,
                      place_.url + ": " + error.detail + "; whether it was done is not known");
  }
  return make_error(VerbErrc::unreachable, place_.url + ": " + error.detail);
}

Result<net::HttpClientResponse> Server::send(std::string_view method, std::string_view path,
                                             const Query& query, const std::string& body,
                                             std::string_view reason) {
  const bool only_reads = method == "GET" && path.find("Cron") == std::string_view::npos;
  Answer answer = exchange(request_of(method, path, query), body, reason);
  if (!answer) return error_of_exchange(answer.error(), !only_reads);
  return answer;
}

Result<net::HttpClientResponse> Server::send_look(std::string_view method, std::string_view path,
                                                  const Query& query, const std::string& body,
                                                  std::string_view reason) {
  Answer answer = exchange(request_of(method, path, query), body, reason);
  if (!answer) return error_of_exchange(answer.error(), false);
  return answer;
}

/// Asks those that have no answer yet, or only the one that there are too many requests.
void Server::ask_each(std::string_view path, const std::vector<Query>& queries,
                      std::vector<Answer>& answers) {
  TaskGroup tasks(io_.get_executor());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    if (!is_to_be_asked(answers[i])) continue;
    tasks.spawn(
        keep_answer(http_.send(request_of("GET", path, queries[i]), timers_.now() + place_.timeout),
                    answers[i]));
  }
  run(tasks.join());
}

std::vector<Result<json::value>> Server::get_all(std::string_view path,
                                                 const std::vector<Query>& queries) {
  std::vector<Answer> answers(queries.size());
  for (int round = 0; round < rounds_max; ++round) {
    if (round > 0) std::this_thread::sleep_for(round_pause);
    ask_each(path, queries, answers);
    if (std::none_of(answers.begin(), answers.end(), is_to_be_asked)) break;
  }
  std::vector<Result<json::value>> values;
  for (Answer& answer : answers) {
    if (answer) {
      note_date(answer->headers);
      values.push_back(judged(path, *answer));
    } else {
      values.emplace_back(
          make_error(VerbErrc::unreachable, place_.url + ": " + answer.error().detail));
    }
  }
  return values;
}

Error Server::no_coordinator(std::string_view path, const std::string& body) const {
  std::string text = place_.url + " is no coordinator: it answers ";
  text.append(path).append(" with '").append(body, 0, shown_bytes);
  return make_error(VerbErrc::no_coordinator, text + (body.size() > shown_bytes ? "..'" : "'"));
}

Result<> Server::check_is_coordinator() {
  if (is_known_) return ok();
  const auto answer = send("GET", version_path);
  if (!answer) return answer.error();
  // Who may not ask for the version is told so by a coordinator, too.
  const bool is_missing = answer->status == 404 || answer->status == 405;
  if (answer->status != 200 && !is_missing) return ok();
  const auto value = json_of(*answer);
  if (!value || !is_answer_of_coordinator(version_path, *value)) {
    return no_coordinator(version_path, answer->body);
  }
  is_known_ = true;
  return ok();
}

/// The value of an answer, if it is a coordinator's.
Result<json::value> Server::judged(std::string_view path, const net::HttpClientResponse& answer,
                                   bool changes) {
  auto value = json_of(answer);
  const bool is_away = !value && value.error().code == make_error_code(VerbErrc::unreachable);
  if (is_away && changes) return error_of_change(answer);
  if (value && is_answer_of_coordinator(path, *value)) return value;
  if (value) return no_coordinator(path, answer.body);
  const error_code& code = value.error().code;
  if (code == make_error_code(VerbErrc::no_coordinator)) return no_coordinator(path, answer.body);
  // What is missing may be a route of a newer version, a transaction, or the whole coordinator.
  if (answer.status == 404 || answer.status == 405) CONCERTO_CHECK(check_is_coordinator());
  return value;
}

Result<json::value> Server::get(std::string_view path, const Query& query) {
  CONCERTO_TRY(const net::HttpClientResponse answer, send("GET", path, query));
  return judged(path, answer);
}

Result<std::string> Server::get_text(std::string_view path, const Query& query) {
  CONCERTO_TRY(net::HttpClientResponse answer, send("GET", path, query));
  if (answer.status == 404 || answer.status == 405) CONCERTO_CHECK(check_is_coordinator());
  if (answer.status != 200) return error_of(answer);
  if (path == metrics_path && !is_metrics_page(answer.body)) {
    return no_coordinator(path, answer.body);
  }
  return std::move(answer.body);
}

Result<> Server::check_before_change(std::string_view path) {
  return has_telling_answer(path) ? ok() : check_is_coordinator();
}

Result<json::value> Server::post(std::string_view path, const json::value& body,
                                 std::string_view reason) {
  CONCERTO_CHECK(check_before_change(path));
  const bool is_look = body.is_object() && true_member(body.get_object(), "dryRun");
  const std::string text = json::serialize(body);
  const auto answer =
      is_look ? send_look("POST", path, {}, text, reason) : send("POST", path, {}, text, reason);
  if (!answer) return answer.error();
  return judged(path, *answer, !is_look);
}

Result<json::value> Server::change(std::string_view method, std::string_view path,
                                   const Query& query, std::string_view reason) {
  CONCERTO_CHECK(check_before_change(path));
  CONCERTO_TRY(const net::HttpClientResponse answer,
               send(method, path, query, method == "POST" ? "{}" : "", reason));
  return judged(path, answer, true);
}

Result<std::unique_ptr<Server>> open_server(const ServerOptions& options) {
  CONCERTO_TRY(const ServerPlace place, choose_server(options));
  return Server::open(place);
}

}  // namespace concerto::tools
