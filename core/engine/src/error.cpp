#include <concerto/engine/error.hpp>

namespace concerto {
namespace {

struct EngineMeaning {
  const char* text;
  Condition condition;
};

EngineMeaning meaning_of(EngineErrc code) {
  switch (code) {
    case EngineErrc::trans_not_found:
      return {"transaction not found", Condition::rejected};
    case EngineErrc::gid_exists:
      return {"gid exists", Condition::rejected};
    case EngineErrc::status_mismatch:
      return {"status is not the expected one", Condition::rejected};
    case EngineErrc::invalid_entry:
      return {"invalid entry", Condition::rejected};
    case EngineErrc::branch_exists:
      return {"branch exists", Condition::rejected};
    case EngineErrc::key_not_found:
      return {"key not found", Condition::rejected};
    case EngineErrc::key_exists:
      return {"key exists", Condition::rejected};
    case EngineErrc::status_conflict:
      return {"status does not allow this", Condition::rejected};
    case EngineErrc::trans_failed:
      return {"transaction failed", Condition::rejected};
    case EngineErrc::result_not_success:
      return {"not finished yet", Condition::outcome_unknown};
    case EngineErrc::branch_failure:
      return {"branch answered FAILURE", Condition::outcome_unknown};
    case EngineErrc::branch_ongoing:
      return {"branch is ongoing", Condition::outcome_unknown};
    case EngineErrc::branch_error:
      return {"branch call failed", Condition::outcome_unknown};
    case EngineErrc::lease_lost:
      return {"another coordinator works on the transaction", Condition::rejected};
    case EngineErrc::store_busy:
      return {"store busy", Condition::retry_later};
    case EngineErrc::store_late:
      return {"the store has not answered in time", Condition::outcome_unknown};
    case EngineErrc::store_failed:
      return {"store write failed", Condition::outcome_unknown};
    case EngineErrc::store_unavailable:
      return {"store unavailable", Condition::retry_later};
    case EngineErrc::store_damaged:
      return {"stored data is damaged", Condition::rejected};
  }
  return {"unknown error", Condition::outcome_unknown};
}

class EngineCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "concerto.engine"; }
  std::string message(int value) const override {
    return meaning_of(static_cast<EngineErrc>(value)).text;
  }
  boost::system::error_condition default_error_condition(int value) const noexcept override {
    return make_error_condition(meaning_of(static_cast<EngineErrc>(value)).condition);
  }
};

}  // namespace

const boost::system::error_category& engine_category() noexcept {
  static const EngineCategory category;
  return category;
}

boost::system::error_code make_error_code(EngineErrc code) noexcept {
  return {static_cast<int>(code), engine_category()};
}

}  // namespace concerto
