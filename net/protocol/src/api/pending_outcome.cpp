#include "api/pending_outcome.hpp"

#include "api/error_answers.hpp"

namespace concerto::net {

Task<bool> is_pending(Coordinator& coordinator, Gid gid, error_code code) {
  const AnswerClass answer = answer_class(code);
  // A query would wait for the same store, and what it says may change yet.
  if (answer == AnswerClass::late) co_return false;
  if (answer == AnswerClass::rejected || answer == AnswerClass::overloaded) co_return false;
  const auto found = co_await coordinator.query(std::move(gid));
  if (!found || !*found) co_return false;
  co_return !is_final((*found)->status);
}

}  // namespace concerto::net
