#include "purposes.hpp"

namespace concerto::load {
namespace {

/// The mixing function of SplitMix64: numbers that follow each other have nothing in common.
std::uint64_t mixed(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

bool is_in_share(std::uint64_t value, double share) noexcept {
  constexpr double values = 18446744073709551616.0;  // 2^64
  return share > 0 && (share >= 1 || static_cast<double>(mixed(value)) < share * values);
}

}  // namespace

bool Purposes::fails(std::uint64_t number) const noexcept {
  return is_in_share(2 * number, fail_share);
}

bool Purposes::errs(std::uint64_t number) const noexcept {
  return is_in_share(2 * number + 1, error_share);
}

}  // namespace concerto::load
