// XA (protocol page 05, section 6).

#include "modes/second_phase.hpp"

namespace concerto {
namespace {

constexpr std::string_view ops[] = {"commit", "rollback"};

constexpr std::string_view fields[] = {"url"};

constexpr SecondPhase phase{
    .type = TransType::xa,
    .name = "xa",
    .ops = ops,
    .forward = "commit",
    .backward = "rollback",
    .fields = fields,
    .url_field = "url",
    .newest_first = false,
    .sends_empty_payload = true,
};

}  // namespace

constinit const Mode modes::xa = second_phase_mode<phase>();

}  // namespace concerto
