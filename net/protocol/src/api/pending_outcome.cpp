#include "api/pending_outcome.hpp"

#include "api/error_answers.hpp"

namespace concerto::net {

Task<bool> is_pending(Coordinator& coordinator, Gid gid, error_code code) {
  // A query would wait for the same store.
  if (code == EngineErrc::store_late) co_return false;
  const AnswerClass answer = answer_class(code);
  if (answer == AnswerClass::rejected || answer == AnswerClass::overloaded) co_return false;
  const auto found = co_await coordinator.query(std::move(gid));
  if (!found || !*found) co_return false;
  co_return !is_final((*found)->status);
}

}  // namespace concerto::net
