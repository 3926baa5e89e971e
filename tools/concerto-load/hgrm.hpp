#pragma once

#include <string>

#include "histogram.hpp"

namespace concerto::load {

/// The text that HdrHistogram's tools call a percentile distribution, and that its plotter and
/// other programs read: values in milliseconds, five lines for each halving of the remaining share.
std::string to_hgrm(const Histogram& microseconds);

}  // namespace concerto::load
