#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/barrier/branch_answer.hpp>
#include <concerto/base/branch_condition.hpp>
#include <concerto/base/utf8.hpp>

namespace concerto {
namespace {

// The protocol (docs/protocol/01-overview.md, section 5): the words of `dtm_result`, and statuses.
constexpr std::string_view failure_word = "FAILURE";
constexpr std::string_view ongoing_word = "ONGOING";

struct Statuses {
  unsigned http;
  int grpc;
};
constexpr Statuses success{200, 0};
constexpr Statuses failure{409, 10};
constexpr Statuses ongoing{425, 9};
constexpr Statuses error{500, 2};

/// gRPC clients refuse long headers, which would turn a failure into an error.
constexpr std::size_t text_bytes_max = 1024;

std::string without(std::string_view word, std::string text) {
  for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += word.size()) {
    text.replace(at, word.size(), word == failure_word ? "failure" : "ongoing");
  }
  return text;
}

BranchAnswer answer(const Statuses& statuses, std::string_view word, std::string text) {
  boost::json::object body;
  if (!word.empty()) body["dtm_result"] = word;
  if (!text.empty()) body["message"] = text;
  return {.http_status = statuses.http,
          .http_body = boost::json::serialize(body),
          .grpc_code = statuses.grpc,
          .grpc_text = std::move(text)};
}

}  // namespace

BranchAnswer detail::make_branch_answer(const Result<>& result) {
  if (result) return answer(success, "SUCCESS", {});
  const Error failed = result.error();
  if (failed.code == BranchCondition::ongoing) {
    return answer(ongoing, ongoing_word, std::string(ongoing_word));
  }
  const std::string_view shortened = std::string_view(failed.detail).substr(0, text_bytes_max);
  std::string text = without(ongoing_word, to_utf8(shortened));
  if (failed.code == BranchCondition::failure) {
    return answer(failure, failure_word, std::move(text));
  }
  return answer(error, {}, without(failure_word, std::move(text)));
}

}  // namespace concerto
