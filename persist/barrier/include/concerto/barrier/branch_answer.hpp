#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include <concerto/barrier/barrier_error.hpp>
#include <concerto/base/export.hpp>

namespace concerto {

/// What a branch answers to its caller. A service needs the HTTP half or the gRPC half of it.
struct BranchAnswer {
  unsigned http_status = 0;
  std::string http_body;  ///< JSON
  int grpc_code = 0;
  std::string grpc_text;
};

namespace detail {
CONCERTO_EXPORT BranchAnswer make_branch_answer(const Result<>& result);
}  // namespace detail

/// The answer that says how the work of a branch ended: SUCCESS, FAILURE or ONGOING for an error
/// that is a BranchCondition, such as one of branch_failure(..), and otherwise an error, after
/// which the call is repeated. The coordinator looks for the words FAILURE and ONGOING in a whole
/// HTTP body; so the text of an error, which may come from a database, is written without them.
///
/// `Answer` is what the server sends: a boost::beast::http::response<string_body>, a grpc::Status,
/// a concerto::net::HttpResponse or a concerto::net::GrpcReply. For any other server, take a
/// BranchAnswer.
///
///     return branch_answer<grpc::Status>(barrier.call(connection, work));
template <class Answer = BranchAnswer>
[[nodiscard]] Answer branch_answer(const Result<>& result) {
  BranchAnswer made = detail::make_branch_answer(result);
  if constexpr (std::is_same_v<Answer, BranchAnswer>) {
    return made;
  } else if constexpr (requires(Answer answer) { answer.prepare_payload(); }) {  // Beast
    Answer answer;
    answer.result(made.http_status);
    answer.set("Content-Type", "application/json");
    answer.body() = std::move(made.http_body);
    answer.prepare_payload();
    return answer;
  } else if constexpr (requires(Answer answer) { answer.error_code(); }) {  // gRPC C++
    using Code = std::remove_cvref_t<decltype(std::declval<Answer&>().error_code())>;
    return Answer(static_cast<Code>(made.grpc_code), made.grpc_text);
  } else if constexpr (requires(Answer answer) { answer.content_type; }) {  // net::HttpResponse
    Answer answer;
    answer.status = made.http_status;
    answer.content_type = "application/json";
    answer.body = std::move(made.http_body);
    return answer;
  } else {
    static_assert(
        requires(Answer answer) { answer.status.code; },
        "branch_answer makes answers of Beast, gRPC C++ and concerto::net; take a "
        "BranchAnswer for others");
    Answer answer;  // net::GrpcReply
    answer.status.code = static_cast<decltype(answer.status.code)>(made.grpc_code);
    answer.status.message = std::move(made.grpc_text);
    return answer;
  }
}

}  // namespace concerto
