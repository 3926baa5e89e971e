#include "etcd_members.hpp"

#include <algorithm>

#include <concerto/base/assert.hpp>

namespace concerto::net {
namespace {

constexpr unsigned member_doublings_max = 5;

}  // namespace

EtcdMemberChoice::EtcdMemberChoice(std::size_t count, std::size_t first)
    : members_(count), current_(first) {
  CONCERTO_ASSERT(first < count);
}

std::size_t EtcdMemberChoice::pick(SteadyTime now) {
  std::size_t best = current_;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const std::size_t index = (current_ + i) % members_.size();
    if (members_[index].left_until <= now) return current_ = index;
    if (members_[index].left_until < members_[best].left_until) best = index;
  }
  return current_ = best;
}

void EtcdMemberChoice::succeeded(std::size_t member) {
  members_[member] = {};
}

bool EtcdMemberChoice::failed(std::size_t member, SteadyTime now) {
  Member& failing = members_[member];
  const unsigned doublings = std::min(failing.failures++, member_doublings_max);
  failing.left_until = now + std::min(pause_max, pause_min * (1 << doublings));
  return failing.failures == 1;
}

}  // namespace concerto::net
