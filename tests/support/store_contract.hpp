#pragma once

/// The tests that every store must pass. Include this file in one source file per store and
/// instantiate:
///   INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values(StoreMaker{...}));

#include "store_contract_changes.hpp"
#include "store_contract_fixture.hpp"
#include "store_contract_health.hpp"
#include "store_contract_kv.hpp"
#include "store_contract_lists.hpp"
