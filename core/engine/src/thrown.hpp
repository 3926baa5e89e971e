#pragma once

#include <string>
#include <string_view>

namespace concerto {

/// The text of the exception that is being handled: `<who> threw: <what>`. Code of the embedder may
/// throw, an ordinary Asio operation does so when it is cancelled.
std::string thrown_by(std::string_view who);

}  // namespace concerto
