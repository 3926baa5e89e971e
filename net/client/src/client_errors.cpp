#include "client_errors.hpp"

#include <concerto/base/branch_condition.hpp>
#include <concerto/protocol/odd_wordings.hpp>

namespace concerto::client {
namespace {

struct ClientMeaning {
  const char* text;
  Condition condition;
};

ClientMeaning meaning_of(ClientErrc code) {
  switch (code) {
    case ClientErrc::failure:
      return {"FAILURE", Condition::rejected};
    case ClientErrc::ongoing:
      return {"ONGOING", Condition::outcome_unknown};
    case ClientErrc::refused:
      return {"answered with an error", Condition::outcome_unknown};
    case ClientErrc::unknown_outcome:
      return {"no answer", Condition::outcome_unknown};
    case ClientErrc::try_later:
      return {"not done, may succeed later", Condition::retry_later};
    case ClientErrc::not_sendable:
      return {"cannot be sent", Condition::rejected};
  }
  return {"unknown error", Condition::outcome_unknown};
}

class ClientCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "concerto.client"; }
  std::string message(int value) const override {
    return meaning_of(static_cast<ClientErrc>(value)).text;
  }
  boost::system::error_condition default_error_condition(int value) const noexcept override {
    return make_error_condition(meaning_of(static_cast<ClientErrc>(value)).condition);
  }
  bool equivalent(int value,
                  const boost::system::error_condition& condition) const noexcept override {
    return default_error_condition(value) == condition ||
           has_branch_condition(value, condition, static_cast<int>(ClientErrc::failure),
                                static_cast<int>(ClientErrc::ongoing));
  }
};

/// Of an answer that says ONGOING.
constexpr std::size_t text_bytes_max = 4096;

/// An awaited transaction that has not succeeded yet is answered as a failure or as an error, but
/// the coordinator goes on with it (protocol page 02, section 5.3).
bool goes_on(std::string_view text) noexcept {
  return text == net::odd_wordings.not_success ||
         text.starts_with(net::odd_wordings.unknown_result);
}

ClientErrc code_of(net::AnswerClass answer) noexcept {
  switch (answer) {
    case net::AnswerClass::failure:
      return ClientErrc::failure;
    case net::AnswerClass::ongoing:
      return ClientErrc::ongoing;
    case net::AnswerClass::overloaded:
    case net::AnswerClass::busy:
      return ClientErrc::try_later;
    case net::AnswerClass::unknown_outcome:
    case net::AnswerClass::late:
    case net::AnswerClass::deadline:
      return ClientErrc::unknown_outcome;
    case net::AnswerClass::plain:
    case net::AnswerClass::rejected:
      return ClientErrc::refused;
  }
  return ClientErrc::refused;
}

/// `not yet` as `not yet ONGOING`: what the other clients tell, and store as the rollback_reason.
std::string with_ongoing_suffix(std::string_view text) {
  constexpr std::string_view suffix = " ONGOING";
  if (text.ends_with(suffix)) text.remove_suffix(suffix.size());
  return std::string{text.substr(0, text_bytes_max)}.append(suffix);
}

}  // namespace

const boost::system::error_category& client_category() noexcept {
  static const ClientCategory category;
  return category;
}

boost::system::error_code make_error_code(ClientErrc code) noexcept {
  return {static_cast<int>(code), client_category()};
}

namespace detail {

Error error_of(const net::ReceivedAnswer& answer) {
  const ClientErrc code = goes_on(answer.text) ? ClientErrc::ongoing : code_of(*answer.error);
  return make_error(code, answer.text);
}

Error error_of(const Error& error) {
  if (error.code == Condition::retry_later) return make_error(ClientErrc::try_later, error.detail);
  if (error.code == Condition::rejected) return make_error(ClientErrc::not_sendable, error.detail);
  return make_error(ClientErrc::unknown_outcome, error.detail);
}

Error error_of(const BranchReply& reply, std::string_view text) {
  switch (reply.outcome) {
    case Outcome::success:
    case Outcome::error:
      return error_of(reply.error);
    case Outcome::failure:
      return make_error(ClientErrc::failure, reply.error.detail);
    case Outcome::ongoing:
      return make_error(ClientErrc::ongoing, with_ongoing_suffix(text));
  }
  return error_of(reply.error);
}

}  // namespace detail
}  // namespace concerto::client
