#pragma once

#include "metric_set.hpp"

namespace concerto::tools {

/// The usual `process_` metrics of this process, from /proc. Values that cannot be read are left
/// out.
void collect_process(MetricSet& metrics);

}  // namespace concerto::tools
