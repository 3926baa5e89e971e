#include "moves_contract.hpp"
#include "ownership_contract.hpp"
#include "redis_store_under_test.hpp"
#include "store_contract.hpp"

namespace concerto::test {

const StoreMaker in_redis{"redis", [] { return std::make_unique<RedisUnderTest>(); }};

INSTANTIATE_TEST_SUITE_P(Redis, StoreContract, testing::Values(in_redis));
INSTANTIATE_TEST_SUITE_P(Redis, OwnershipContract, testing::Values(in_redis));
INSTANTIATE_TEST_SUITE_P(Redis, MovesContract, testing::Values(in_redis));

}  // namespace concerto::test
