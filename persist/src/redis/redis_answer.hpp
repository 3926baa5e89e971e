#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>

#include "resp.hpp"

namespace concerto::persist {

/// What an error of Redis means for the command that it answers. The command did nothing, but for
/// `other` and `no_right`.
enum class RedisTrouble : std::uint8_t {
  none,         ///< no error
  elsewhere,    ///< another server is the master now: look for it (READONLY, MOVED, MASTERDOWN)
  not_now,      ///< the same server may do it soon (LOADING, BUSY, CLUSTERDOWN, TRYAGAIN, ASK)
  no_disk,      ///< it takes no changes, because it cannot save its data (MISCONF)
  no_replicas,  ///< it takes no changes, because it has too few replicas (NOREPLICAS)
  full,         ///< no memory (OOM)
  no_script,    ///< the script has to be loaded again (NOSCRIPT)
  no_entry,     ///< the server does not let the user in (NOAUTH, WRONGPASS, DENIED)
  no_right,     ///< the user may not do it (NOPERM). Inside a script: a part may be done
  other,        ///< for example a script that failed; it may have done a part of its work
};

RedisTrouble trouble_of(std::string_view error_text) noexcept;

/// The error without the script and the line in it, which newer versions put behind it.
std::string_view without_place(std::string_view error_text) noexcept;

/// The server that an error MOVED names, as `parse_server` reads it. The host may be empty: then it
/// is the one that was asked.
std::optional<std::string> moved_to(std::string_view error_text);

/// The reason, if the answer of a script says that a record is damaged: `DAMAGED:` and the reason.
std::optional<std::string_view> damage_in(std::string_view answer) noexcept;

/// What a command is, as far as its caller must know how it ended.
enum class Deed : std::uint8_t {
  reads,    ///< changes nothing
  changes,  ///< may be made a second time without harm; is repeated until its answer is known
  creates,  ///< likewise, and is refused when there is no room
  claims,   ///< may be made a second time without harm, and the caller repeats it
};

constexpr bool changes(Deed deed) noexcept {
  return deed == Deed::changes || deed == Deed::creates;
}

/// The error for a caller whose command got an error as its answer: store_busy, overloaded,
/// store_damaged or store_failed.
Error error_of(std::string_view error_text, Deed deed);

/// The error for a caller whose command was not made.
Error not_made(std::string_view why);
/// The error for a caller whose command may have been made.
Error lost_answer(std::string_view why);

}  // namespace concerto::persist
