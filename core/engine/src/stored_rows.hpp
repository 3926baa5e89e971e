#pragma once

#include <concerto/engine/custom_data.hpp>
#include <concerto/engine/mode.hpp>

namespace concerto {

/// Reads custom_data of a stored transaction and checks its rows. An unfinished transaction that
/// lacks rows, or has one twice, would end as if all its branches were done. Error store_damaged
/// names the gid.
Result<CustomData> read_stored(const Mode& mode, const Transaction& stored);

}  // namespace concerto
