#include "hgrm.hpp"

#include <cmath>
#include <cstdio>

namespace concerto::load {
namespace {

constexpr double lines_per_halving = 5;
constexpr double us_per_ms = 1000;

template <class... Values>
void append(std::string& out, const char* format, Values... values) {
  char line[160];
  const int length = std::snprintf(line, sizeof line, format, values...);
  if (length > 0) out.append(line, static_cast<std::size_t>(length));
}

/// The next share to print. Steps become half as wide whenever the remaining share has halved.
double share_after(double share) {
  const double halvings = std::floor(std::log2(1 / (1 - share)));
  return share + 1 / (lines_per_halving * std::pow(2, halvings + 1));
}

double to_ms(std::uint64_t microseconds) {
  return static_cast<double>(microseconds) / us_per_ms;
}

}  // namespace

std::string to_hgrm(const Histogram& microseconds) {
  std::string out;
  append(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  const auto count = static_cast<unsigned long long>(microseconds.count());
  for (double share = 0; count > 0 && share < 1; share = share_after(share)) {
    const Histogram::Place place = microseconds.at(share);
    append(out, "%12.3f %2.12f %10llu %14.2f\n", to_ms(place.value), share,
           static_cast<unsigned long long>(place.cumulative), 1 / (1 - share));
    if (place.cumulative == count) break;
  }
  append(out, "%12.3f %2.12f %10llu\n", to_ms(microseconds.max()), 1.0, count);
  append(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", microseconds.mean() / us_per_ms,
         microseconds.standard_deviation() / us_per_ms);
  append(out, "#[Max     = %12.3f, Total count    = %12llu]\n", to_ms(microseconds.max()), count);
  append(out, "#[Buckets = %12zu, SubBuckets     = %12llu]\n", Histogram::bucket_count,
         static_cast<unsigned long long>(Histogram::sub_bucket_count));
  return out;
}

}  // namespace concerto::load
