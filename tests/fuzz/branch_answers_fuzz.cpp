// Bodies of branches' answers, over HTTP and JSON-RPC. An answer has the same meaning whether all
// of its body is kept or only the beginning, and whatever the pieces in which the body arrives.

#include <concerto/protocol/http_branch_caller.hpp>

#include "branch/branch_result.hpp"
#include "fuzz_target.hpp"
#include "http/body_collector.hpp"

namespace concerto::fuzz {
namespace {

using namespace net;

constexpr unsigned statuses[] = {200, 201, 404, 409, 425, 500};
constexpr std::size_t kept_bytes_max = 8;

void check(const BranchReply& reply) {
  const bool says_why = reply.outcome == Outcome::failure || reply.outcome == Outcome::error;
  require(says_why == static_cast<bool>(reply.error.code));
  constexpr std::size_t words_bytes_max = 64;
  require(reply.error.detail.size() <= HttpBranchCaller::error_text_bytes_max + words_bytes_max);
}

void check_status(unsigned status, std::string_view body, Cuts cuts) {
  const BranchReply reply = judge_http_answer(status, body);
  check(reply);
  BodyCollector collected(body.size(), kept_bytes_max, decisive_words);
  collected.begin({});
  for (const std::string_view piece : pieces_of(body, cuts)) {
    require(!collected.write(piece));
  }
  const std::string kept = collected.take();
  require(kept == body.substr(0, kept_bytes_max));
  const BranchReply of_beginning = judge_http_answer(status, kept, collected.marks_beyond());
  require(of_beginning.outcome == reply.outcome);

  const BranchReply rpc = judge_rpc_answer(status, body);
  check(rpc);
  require(reply.outcome == Outcome::success || rpc.outcome == reply.outcome);
}

}  // namespace

void branch_answers(std::string_view input) {
  for (const unsigned status : statuses) {
    for (const Cuts cuts : all_cuts) check_status(status, input, cuts);
  }
}

}  // namespace concerto::fuzz
