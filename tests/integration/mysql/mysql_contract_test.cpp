#include "moves_contract.hpp"
#include "mysql_under_test.hpp"
#include "ownership_contract.hpp"
#include "store_contract.hpp"

namespace concerto::test {

using Layout = MysqlUnderTest::Layout;

const StoreMaker wide{"wide", [] { return std::make_unique<MysqlUnderTest>(Layout::wide); }};
const StoreMaker reference{"reference",
                           [] { return std::make_unique<MysqlUnderTest>(Layout::reference); }};

INSTANTIATE_TEST_SUITE_P(Mysql, StoreContract, testing::Values(wide));
INSTANTIATE_TEST_SUITE_P(Mysql, OwnershipContract, testing::Values(wide));
INSTANTIATE_TEST_SUITE_P(Mysql, MovesContract, testing::Values(wide));
// tools/test runs some of these (mysql_test.py), `tools/prove mysql` all.
INSTANTIATE_TEST_SUITE_P(Reference, StoreContract, testing::Values(reference));
INSTANTIATE_TEST_SUITE_P(Reference, OwnershipContract, testing::Values(reference));
INSTANTIATE_TEST_SUITE_P(Reference, MovesContract, testing::Values(reference));

}  // namespace concerto::test
