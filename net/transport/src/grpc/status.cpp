#include <array>
#include <cstddef>

#include <concerto/transport/grpc_status.hpp>

namespace concerto::net {
namespace {

struct Row {
  std::string_view name;
  Condition from_peer;
  Condition unsent;
};

constexpr auto rejected = Condition::rejected;
constexpr auto retry_later = Condition::retry_later;
constexpr auto outcome_unknown = Condition::outcome_unknown;

constexpr std::array<Row, 17> rows{{
    {"OK", rejected, rejected},
    {"Canceled", outcome_unknown, rejected},
    {"Unknown", outcome_unknown, rejected},
    {"InvalidArgument", rejected, rejected},
    {"DeadlineExceeded", outcome_unknown, retry_later},
    {"NotFound", rejected, rejected},
    {"AlreadyExists", rejected, rejected},
    {"PermissionDenied", rejected, rejected},
    {"ResourceExhausted", retry_later, retry_later},
    {"FailedPrecondition", rejected, rejected},
    {"Aborted", rejected, rejected},
    {"OutOfRange", rejected, rejected},
    {"Unimplemented", rejected, rejected},
    {"Internal", outcome_unknown, rejected},
    {"Unavailable", outcome_unknown, retry_later},
    {"DataLoss", outcome_unknown, rejected},
    {"Unauthenticated", rejected, rejected},
}};

const Row& row_of(int value) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return rows[index < rows.size() ? index : static_cast<std::size_t>(GrpcCode::unknown)];
}

class GrpcCategory : public boost::system::error_category {
 public:
  explicit GrpcCategory(const char* name, Condition Row::*condition) noexcept
      : name_(name), condition_(condition) {}
  const char* name() const noexcept override { return name_; }
  std::string message(int value) const override { return std::string(row_of(value).name); }
  boost::system::error_condition default_error_condition(int value) const noexcept override {
    return make_error_condition(row_of(value).*condition_);
  }

 private:
  const char* name_;
  Condition Row::*condition_;
};

}  // namespace

std::string_view to_string(GrpcCode code) noexcept {
  return row_of(static_cast<int>(code)).name;
}

std::string describe(const GrpcStatus& status) {
  std::string text = "rpc error: code = ";
  text += to_string(status.code);
  text += " desc = ";
  text += status.message;
  return text;
}

const boost::system::error_category& grpc_category() noexcept {
  static const GrpcCategory category{"concerto.grpc", &Row::from_peer};
  return category;
}

const boost::system::error_category& grpc_unsent_category() noexcept {
  static const GrpcCategory category{"concerto.grpc.unsent", &Row::unsent};
  return category;
}

boost::system::error_code make_error_code(GrpcCode code) noexcept {
  return {static_cast<int>(code), grpc_category()};
}

boost::system::error_code make_unsent_error_code(GrpcCode code) noexcept {
  return {static_cast<int>(code), grpc_unsent_category()};
}

std::optional<GrpcCode> grpc_code_of(const error_code& code) noexcept {
  if (code.category() != grpc_category() && code.category() != grpc_unsent_category()) return {};
  return static_cast<GrpcCode>(code.value());
}

Error to_error(const GrpcStatus& status, bool sent) {
  const error_code code = sent ? make_error_code(status.code) : make_unsent_error_code(status.code);
  return Error{code, describe(status)};
}

}  // namespace concerto::net
