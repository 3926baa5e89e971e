#include "readiness.hpp"

#include <utility>

namespace concerto::tools {

namespace {

std::string without_numbers(std::string text) {
  std::erase_if(text, [](char letter) { return letter >= '0' && letter <= '9'; });
  return text;
}

}  // namespace

std::vector<std::string> store_state_for_log(const StoreHealth& health) {
  switch (health.state) {
    case StoreHealth::State::serving:
      return {};
    case StoreHealth::State::refusing:
      return {"the store takes no new transactions"};
    case StoreHealth::State::recovering:
      return {"the store is away or refuses changes"};
    case StoreHealth::State::failed:
      return {"the store cannot be used"};
  }
  return {"the store does not serve"};
}

std::optional<ReadinessLog::Line> ReadinessLog::look(const std::vector<std::string>& reasons,
                                                     SteadyTime now) {
  if (reasons.empty()) return ready();
  if (!not_ready_since_) not_ready_since_ = now;
  std::string text;
  for (const std::string& reason : reasons) text += (text.empty() ? "" : "; ") + reason;
  std::string reasons_alone = without_numbers(text);
  if (now - *not_ready_since_ < patience || reasons_alone == told_) return std::nullopt;
  if (!told_.empty() && now - told_at_ < pause) return std::nullopt;
  told_ = std::move(reasons_alone);
  told_at_ = now;
  return Line{LogLevel::warn, (was_ready_ ? "not ready: " : "not ready yet: ") + text};
}

std::optional<ReadinessLog::Line> ReadinessLog::ready() {
  not_ready_since_.reset();
  const bool was_told = !std::exchange(told_, {}).empty();
  if (!std::exchange(was_ready_, true)) return Line{LogLevel::info, "ready: " + server_};
  if (!was_told) return std::nullopt;
  return Line{LogLevel::info, "ready again"};
}

}  // namespace concerto::tools
