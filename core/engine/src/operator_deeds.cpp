#include "operator_deeds.hpp"

#include <algorithm>

#include "text.hpp"
#include "trouble.hpp"

namespace concerto {
namespace {

// In bytes; together they leave room in a rollback_reason.
constexpr std::size_t told_caller_max = 128;
constexpr std::size_t told_url_max = 256;
constexpr std::size_t told_reason_max = 400;

std::string by(CallerId caller) {
  if (!caller.is_known()) return " by an operator";
  return " by " + cut_text(std::string(caller.name()), told_caller_max);
}

/// The reason in one line; empty without one.
std::string because(std::string_view reason) {
  if (reason.empty()) return {};
  std::string text = cut_text(std::string(reason), told_reason_max);
  const auto is_control = [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
  };
  std::ranges::replace_if(text, is_control, ' ');
  return ": " + text;
}

}  // namespace

std::string stop_reason(const Transaction& before, const ModeTable& modes, CallerId caller,
                        std::string_view reason) {
  std::string text = "stopped" + by(caller) + " while " + std::string(to_string(before.status));
  const std::vector<std::string> urls = trouble_urls(before, modes);
  if (!urls.empty()) text += " at " + cut_text(urls.front(), told_url_max);
  text += because(reason);
  if (!before.rollback_reason.empty()) text += "; before that: " + before.rollback_reason;
  return text;
}

std::string skip_answer(CallerId caller, std::string_view reason) {
  return "skipped" + by(caller) + ", without a call" + because(reason);
}

}  // namespace concerto
