#include "descriptor_plan.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace concerto::tools {
namespace {

constexpr std::size_t many = std::size_t{1} << 20;

/// What may be open at one time by the plan, without the store and the process itself.
std::size_t sockets(const DescriptorPlan& plan, std::size_t shards) {
  return plan.clients_max + plan.grpc_calls_max + shards * plan.http_calls_max;
}

TEST(DescriptorPlan, GivesEverybodyWhatIsConfiguredWhereThereIsEnough) {
  const DescriptorPlan plan = plan_descriptors(many, 2, 20'000);
  EXPECT_FALSE(plan.warning);
  EXPECT_EQ(plan.clients_max, 40'000U);
  EXPECT_EQ(plan.http_calls_max, 8'192U);
  EXPECT_EQ(plan.http_calls_per_host_max, 1'024U);
  EXPECT_EQ(plan.grpc_calls_max, 4'096U);
}

TEST(DescriptorPlan, LeavesTheStoreItsPartWhateverIsConfigured) {
  for (const std::size_t limit : {1'024U, 2'048U, 4'096U, 20'000U, 65'536U}) {
    for (const std::size_t shards : {1U, 2U, 16U}) {
      for (const std::size_t connections : {1U, 500U, 20'000U, 1'000'000U}) {
        const DescriptorPlan plan = plan_descriptors(limit, shards, connections);
        const std::size_t reserve = std::min<std::size_t>(limit / 4, 4'096);
        EXPECT_LE(sockets(plan, shards) + reserve, limit)
            << limit << " " << shards << " " << connections;
      }
    }
  }
}

TEST(DescriptorPlan, LeavesTheStoreItsPartWhenMoreConnectionsAreAllowedLater) {
  for (const std::size_t at_first : {1'000U, 20'000U}) {
    const DescriptorPlan start = plan_descriptors(20'000, 2, at_first);
    const DescriptorPlan later = with_connections(start, 10'000);
    EXPECT_LE(sockets(later, 2) + 4'096, 20'000U) << at_first;
    ASSERT_TRUE(later.warning) << at_first;
    EXPECT_NE(later.warning->find("MaxConnections (10000)"), std::string::npos);
    const DescriptorPlan fewer = with_connections(later, 100);
    EXPECT_EQ(fewer.clients_max, 200U);
    EXPECT_FALSE(fewer.warning);
  }
}

TEST(DescriptorPlan, LetsOneServiceTakeAQuarterOfTheCallsAtMost) {
  const DescriptorPlan plan = plan_descriptors(2'048, 2, 20'000);
  EXPECT_GT(plan.http_calls_per_host_max, 0U);
  EXPECT_LE(4 * plan.http_calls_per_host_max, plan.http_calls_max);
}

TEST(DescriptorPlan, HasRoomForBothSidesWhereTheLimitIsHopeless) {
  const DescriptorPlan plan = plan_descriptors(64, 2, 20'000);
  EXPECT_GE(plan.clients_max, 16U);
  EXPECT_GE(plan.http_calls_max, 1U);
  EXPECT_GE(plan.grpc_calls_max, 1U);
}

TEST(DescriptorPlan, NamesLimitAndKeyWhereTheyDoNotFit) {
  const DescriptorPlan plan = plan_descriptors(1'024, 2, 20'000);
  ASSERT_TRUE(plan.warning);
  EXPECT_NE(plan.warning->find("RLIMIT_NOFILE, ulimit -n) is 1024"), std::string::npos);
  EXPECT_NE(plan.warning->find("MaxConnections (20000)"), std::string::npos);
}

}  // namespace
}  // namespace concerto::tools
