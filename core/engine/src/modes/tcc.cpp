// TCC (protocol page 05, section 5).

#include "modes/second_phase.hpp"

namespace concerto {
namespace {

constexpr std::string_view ops[] = {"try", "confirm", "cancel"};

constexpr std::string_view fields[] = {"confirm", "cancel"};

constexpr SecondPhase phase{
    .type = TransType::tcc,
    .name = "tcc",
    .ops = ops,
    .forward = "confirm",
    .backward = "cancel",
    .fields = fields,
    .url_field = "",
    .newest_first = true,
    .sends_empty_payload = false,
};

}  // namespace

constinit const Mode modes::tcc = second_phase_mode<phase>();

}  // namespace concerto
