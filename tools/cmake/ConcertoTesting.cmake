# concerto::testing: the tests that every store has to pass (tests/support/store_contract.hpp), for
# the stores of other projects. It has headers alone, and needs GoogleTest only where it is linked.

set(concerto_testing_headers
    await_result.hpp moves_contract.hpp ownership_contract.hpp ownership_contract_fixture.hpp
    sample_transactions.hpp store_contract.hpp
    store_contract_changes.hpp store_contract_fixture.hpp store_contract_health.hpp
    store_contract_kv.hpp store_contract_lists.hpp)
# A project that adds this one as a subdirectory may look for GoogleTest later, and what it finds
# then is not visible here.
if(NOT TARGET GTest::gtest)
  find_package(GTest QUIET)
endif()

set(support_dir ${PROJECT_SOURCE_DIR}/tests/support)
set(forward_dir ${PROJECT_BINARY_DIR}/testing)

add_library(concerto_testing INTERFACE)
add_library(concerto::testing ALIAS concerto_testing)
set_target_properties(concerto_testing PROPERTIES EXPORT_NAME testing)
target_link_libraries(concerto_testing INTERFACE concerto::core GTest::gtest)

# <concerto/testing/..> without an installation.
foreach(header IN LISTS concerto_testing_headers)
  file(CONFIGURE OUTPUT ${forward_dir}/concerto/testing/${header}
       CONTENT "#pragma once\n#include \"${support_dir}/${header}\"\n")
endforeach()
target_include_directories(concerto_testing INTERFACE $<BUILD_INTERFACE:${forward_dir}>)

if(CONCERTO_INSTALL)
  list(TRANSFORM concerto_testing_headers PREPEND ${support_dir}/)
  install(FILES ${concerto_testing_headers}
          DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/concerto/testing)
  install(TARGETS concerto_testing EXPORT concerto_testing)
  install(EXPORT concerto_testing FILE concerto-testing.cmake NAMESPACE concerto::
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/Concerto)
endif()
