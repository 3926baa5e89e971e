// Query strings of `all` and similar requests, and the positions in them. A list that is asked for
// stays within its limits.

#include <concerto/engine/mode.hpp>
#include <concerto/transport/percent.hpp>

#include "api/list_query.hpp"
#include "fuzz_target.hpp"
#include "preconditions.hpp"

namespace concerto::fuzz {
namespace {

void check_position(const std::string& text) {
  const auto position = persist::parse_position(text);
  if (!position) {
    require(position.error().code == Errc::invalid_request);
    return;
  }
  require(position->has_value() != text.empty());
  if (!*position) return;
  const auto again = persist::parse_position(std::to_string(**position));
  require(again.has_value() && *again == *position);
}

}  // namespace

void list_queries(std::string_view input) {
  using namespace net;
  HttpRequest request;
  request.query = decode_query(input);
  const WallTime now{std::chrono::seconds{1'700'000'000}};
  auto query = list_query_from(request, ModeTable::standard());
  if (!query) {
    require(query.error().code == Errc::invalid_request && !query.error().detail.empty());
    return;
  }
  const Result<> own = take_own_parameters(request, now, *query);
  if (!own) {
    require(own.error().code == Errc::invalid_request && !own.error().detail.empty());
    return;
  }
  require(query->limit >= 1 && query->limit <= list_limit_max);
  require(query->trouble.target.size() <= search_bytes_max);
  require(query->trouble.error.size() <= search_bytes_max);
  check_position(query->position);
  if (!query->gid.empty()) return;
  require(query->topic.size() <= search_bytes_max && query->owner.size() <= search_bytes_max);
  if (request.query.empty()) require(!query->filter.type && !query->filter.created_to);
  if (const auto age = integer_value(request, "minAge", 0); age && *age > 0) {
    require(query->filter.created_to.has_value() && *query->filter.created_to < now);
  }
}

}  // namespace concerto::fuzz
