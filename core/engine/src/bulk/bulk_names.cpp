#include <array>
#include <utility>

#include <concerto/engine/bulk_actions.hpp>

namespace concerto {
namespace {

constexpr std::array<std::pair<BulkAction, std::string_view>, 3> action_names{{
    {BulkAction::retry, "retry"},
    {BulkAction::stop, "stop"},
    {BulkAction::skip, "skip"},
}};

}  // namespace

std::string_view to_string(BulkAction action) noexcept {
  for (const auto& [each, name] : action_names) {
    if (each == action) return name;
  }
  return "";
}

std::optional<BulkAction> bulk_action_from(std::string_view text) noexcept {
  for (const auto& [action, name] : action_names) {
    if (name == text) return action;
  }
  return std::nullopt;
}

std::string_view to_string(BulkJob::State state) noexcept {
  switch (state) {
    case BulkJob::State::running:
      return "running";
    case BulkJob::State::done:
      return "done";
    case BulkJob::State::cancelled:
      return "cancelled";
    case BulkJob::State::failed:
      return "failed";
  }
  return "";
}

}  // namespace concerto
