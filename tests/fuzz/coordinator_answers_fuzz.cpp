// The coordinator's answers as a client reads them, over HTTP, JSON-RPC and gRPC. A transaction
// that was read and written is read unchanged again. An error has a text.

#include <concerto/engine/mode.hpp>
#include <concerto/protocol/answer_messages.hpp>

#include "api/grpc_messages.hpp"
#include "api/trans_json.hpp"
#include "fuzz_target.hpp"

namespace concerto::fuzz {
namespace {

const ModeTable& modes() {
  return ModeTable::standard();
}

template <class Answer>
bool is_refused(const Result<Answer>& answer) {
  if (answer) return false;
  require(answer.error().code == Errc::invalid_request && !answer.error().detail.empty());
  return true;
}

Transaction written_and_read(const Transaction& trans) {
  const auto read = net::workflow_from_json(net::workflow_json(trans, {}, modes()), modes());
  require(read.has_value());
  return *read;
}

void check_transaction(Transaction trans) {
  // Passwords in these are masked.
  trans.query_prepared.clear();
  trans.rollback_reason.clear();
  for (Branch& branch : trans.branches) {
    require(branch.payload < trans.payloads.size());
    branch.url.clear();
  }
  // Writing leaves out the time zero, so only the second reading changes nothing.
  const Transaction once = written_and_read(trans);
  require(written_and_read(once) == once);
}

void check_json(std::string_view input) {
  if (const auto found = net::query_from_json(input, modes()); !is_refused(found) && *found) {
    check_transaction(**found);
  }
  if (const auto page = net::page_from_json(input, modes()); !is_refused(page)) {
    for (const Transaction& trans : page->transactions) check_transaction(trans);
  }
  if (const auto workflow = net::workflow_from_json(input, modes()); !is_refused(workflow)) {
    check_transaction(*workflow);
  }
}

void check_proto(std::string_view input) {
  const auto workflow = net::workflow_from_proto(input);
  if (is_refused(workflow)) return;
  const auto again = net::workflow_from_proto(net::progresses_reply(*workflow));
  require(again && *again == *workflow);
}

}  // namespace

void coordinator_answers(std::string_view input) {
  check_json(input);
  check_proto(input);
  require(net::answer_from_http(200, {}, input).ok());
  require(net::answer_from_http(409, {}, input).error == net::AnswerClass::failure);
  const net::ReceivedAnswer rpc = net::answer_from_rpc(input);
  require(!rpc.ok() || rpc.text.empty());
}

}  // namespace concerto::fuzz
