#include "redis_answer.hpp"

#include <concerto/engine/error.hpp>

namespace concerto::persist {
namespace {

struct Row {
  std::string_view word;  ///< the first word of the error
  RedisTrouble trouble;
};

constexpr Row rows[] = {
    {"READONLY", RedisTrouble::elsewhere},
    {"MOVED", RedisTrouble::elsewhere},
    {"MASTERDOWN", RedisTrouble::elsewhere},
    {"NOREPLICAS", RedisTrouble::no_replicas},
    {"LOADING", RedisTrouble::not_now},
    {"BUSY", RedisTrouble::not_now},
    {"CLUSTERDOWN", RedisTrouble::not_now},
    {"TRYAGAIN", RedisTrouble::not_now},
    {"ASK", RedisTrouble::not_now},
    {"MISCONF", RedisTrouble::no_disk},
    {"OOM", RedisTrouble::full},
    {"NOSCRIPT", RedisTrouble::no_script},
    {"NOAUTH", RedisTrouble::no_entry},
    {"WRONGPASS", RedisTrouble::no_entry},
    {"DENIED", RedisTrouble::no_entry},
    {"NOPERM", RedisTrouble::no_right},
};

/// Errors without a word of their own, by a part of their text.
constexpr Row phrases[] = {
    {"max number of clients reached", RedisTrouble::not_now},
    {"ERR AUTH ", RedisTrouble::no_entry},  // A password, but the server has none.
    {"ERR Client sent AUTH", RedisTrouble::no_entry},
    {"The user executing the script can't", RedisTrouble::no_right},
    {"ACL failure in script", RedisTrouble::no_right},
};

bool may_be_done_in_part(std::string_view error_text, RedisTrouble trouble) noexcept {
  return trouble == RedisTrouble::other ||
         (trouble == RedisTrouble::no_right && !error_text.starts_with("NOPERM"));
}

RedisTrouble trouble_of_word(std::string_view word) noexcept {
  for (const Row& row : rows) {
    if (row.word == word) return row.trouble;
  }
  return RedisTrouble::other;
}

}  // namespace

RedisTrouble trouble_of(std::string_view error_text) noexcept {
  const RedisTrouble first = trouble_of_word(error_text.substr(0, error_text.find(' ')));
  if (first != RedisTrouble::other) return first;
  // An error inside a script: older versions put their own words before that of the command.
  for (const Row& row : rows) {
    const auto found = error_text.find("-" + std::string(row.word) + " ");
    if (found != std::string_view::npos) return row.trouble;
  }
  for (const Row& row : phrases) {
    if (error_text.find(row.word) != std::string_view::npos) return row.trouble;
  }
  return first;
}

std::string_view without_place(std::string_view error_text) noexcept {
  return error_text.substr(0, error_text.find(" script: "));
}

std::optional<std::string> moved_to(std::string_view error_text) {
  if (!error_text.starts_with("MOVED ")) return std::nullopt;
  const auto blank = error_text.rfind(' ');
  const std::string_view server = error_text.substr(blank + 1);
  const auto colon = server.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string host(server.substr(0, colon));
  const bool is_version_6 = host.find(':') != std::string::npos && host.front() != '[';
  return (is_version_6 ? "[" + host + "]" : host) + std::string(server.substr(colon));
}

std::optional<std::string_view> damage_in(std::string_view answer) noexcept {
  constexpr std::string_view mark = "DAMAGED:";
  if (!answer.starts_with(mark)) return std::nullopt;
  return answer.substr(mark.size());
}

Error error_of(std::string_view error_text, Deed deed) {
  const std::string text = "Redis: " + std::string(without_place(error_text));
  const RedisTrouble trouble = trouble_of(error_text);
  if (deed != Deed::reads && may_be_done_in_part(error_text, trouble)) {
    return make_error(EngineErrc::store_failed, text);
  }
  if (trouble == RedisTrouble::other) return make_error(EngineErrc::store_damaged, text);
  if (trouble == RedisTrouble::full && deed == Deed::creates) {
    return make_error(Errc::overloaded, "the store has no room for new transactions now");
  }
  return make_error(EngineErrc::store_busy, text);
}

Error not_made(std::string_view why) {
  return make_error(EngineErrc::store_busy, std::string(why));
}

Error lost_answer(std::string_view why) {
  return make_error(EngineErrc::store_failed, std::string(why));
}

}  // namespace concerto::persist
