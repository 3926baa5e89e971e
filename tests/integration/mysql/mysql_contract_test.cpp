#include "mysql_under_test.hpp"
#include "ownership_contract.hpp"
#include "store_contract.hpp"

namespace concerto::test {

using Layout = MysqlUnderTest::Layout;

const StoreMaker wide{"wide", [] { return std::make_unique<MysqlUnderTest>(Layout::wide); }};
const StoreMaker reference{"reference",
                           [] { return std::make_unique<MysqlUnderTest>(Layout::reference); }};

INSTANTIATE_TEST_SUITE_P(Mysql, StoreContract, testing::Values(wide, reference));
INSTANTIATE_TEST_SUITE_P(Mysql, OwnershipContract, testing::Values(wide, reference));

}  // namespace concerto::test
