#pragma once

#include <string>

#include "histogram.hpp"

namespace concerto::load {

/// The text that HdrHistogram's tools call a percentile distribution, which its plotter and others
/// read: values in milliseconds, five lines for each halving of what is left.
std::string to_hgrm(const Histogram& microseconds);

}  // namespace concerto::load
