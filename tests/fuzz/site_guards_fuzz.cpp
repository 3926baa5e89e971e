// Host, Origin and the other marks of a request that say whose page a browser shows. A request
// that a page of another site sends changes nothing, whatever else the request says.

#include <concerto/protocol/site_guard.hpp>

#include "api/error_answers.hpp"
#include "fuzz_target.hpp"
#include "http/message_parser.hpp"

namespace concerto::fuzz {
namespace {

using namespace net;

SiteGuard guard_with(bool get_may_change) {
  SiteGuardOptions options;
  options.allowed_hosts = {"dtm.b.org", ".c.org"};
  options.own_name = "node1.d.org";
  options.get_may_change = get_may_change;
  return SiteGuard{std::move(options)};
}

constexpr RouteNeeds read{RouteDeed::reads, RouteRole::viewers, RouteBrowser::any_page};
constexpr RouteNeeds change{RouteDeed::changes, RouteRole::clients, RouteBrowser::own_pages};

unsigned answer(const SiteGuard& guard, const RouteNeeds& needs, const HttpRequest& request) {
  const auto refusal = guard.refuse(needs, request);
  if (!refusal) return 200;
  const unsigned status = http_answer(*refusal).status;
  require(status == 403 || status == 405);
  return status;
}

void check(const HttpRequest& request) {
  const SiteGuard guard = guard_with(true);
  const unsigned reading = answer(guard, read, request);
  const unsigned changing = answer(guard, change, request);
  require(reading == 200 || changing == 403);

  const SiteGuard strict = guard_with(false);
  const unsigned strictly = answer(strict, change, request);
  require(strictly == changing || (request.method == "GET" && strictly != 200));

  HttpRequest by_browser = request;
  by_browser.headers.add("Origin", "https://evil.example");
  require(answer(guard, change, by_browser) == 403);
  by_browser = request;
  by_browser.headers.add("Sec-Fetch-Site", "cross-site");
  require(answer(guard, change, by_browser) == 403);
}

}  // namespace

void site_guards(std::string_view input) {
  if (check_host_list(input)) {
    for (const std::string& name : host_list(input)) {
      require(!name.empty() && name.find_first_of(" ,/@") == std::string::npos);
      require(check_host_list(name).has_value());
    }
  }
  RequestParser parser(4096, 4096);
  std::size_t used = 0;
  if (parser.feed(input, used) == ParseState::complete) check(parser.request());
}

}  // namespace concerto::fuzz
