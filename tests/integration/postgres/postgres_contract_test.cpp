#include "moves_contract.hpp"
#include "ownership_contract.hpp"
#include "postgres_under_test.hpp"
#include "store_contract.hpp"

namespace concerto::test {

const StoreMaker postgres{"postgres", [] { return std::make_unique<PostgresUnderTest>(); }};

INSTANTIATE_TEST_SUITE_P(Postgres, StoreContract, testing::Values(postgres));
INSTANTIATE_TEST_SUITE_P(Postgres, OwnershipContract, testing::Values(postgres));
INSTANTIATE_TEST_SUITE_P(Postgres, MovesContract, testing::Values(postgres));

}  // namespace concerto::test
