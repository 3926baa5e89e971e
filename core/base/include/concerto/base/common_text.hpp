#pragma once

#include <string>
#include <string_view>

#include <concerto/base/export.hpp>

namespace concerto {

/// What the texts of the same error have in common, whichever transaction met it: `text` without
/// the queries and fragments of the URLs in it, and with `{gid}` in place of the gid, where the gid
/// stands as a word of its own. Calls have the gid and the branch in their queries, so that
/// `answer of http://stock/take?gid=g7&op=action: deadline exceeded` is another text for each
/// transaction. Only URLs with a scheme are found. The time is linear in the length of the text. An
/// empty `gid` is not replaced.
CONCERTO_EXPORT std::string common_text(std::string_view text, std::string_view gid);

/// Whether `part` is in `text`, or in its common text.
CONCERTO_EXPORT bool has_text(std::string_view text, std::string_view gid, std::string_view part);

}  // namespace concerto
