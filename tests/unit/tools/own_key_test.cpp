// A key of one's own, in one file: all of it is here, with its one row (docs/extending.md). The
// engine has the option, but concertod has no key for it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config_print.hpp"
#include "config_tables.hpp"
#include "coordinator_world.hpp"
#include "scripted_store.hpp"

namespace concerto::tools {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const KeyRow own_row{
    .path = "StoreBusyMax",
    .field = [](Config& config) -> auto& { return config.coordinator.store_busy_max; },
    .help = "seconds for which a change is tried again while the store is busy",
    .range = KeyRange{1, 600},
    .in_bytes = false,
    .secrecy = Secrecy::open,
    .reloads = true};

ConfigTables tables_with_own_row() {
  ConfigTables tables;
  tables.keys.add(own_row);
  return tables;
}

class OwnKey : public testing::Test {
 protected:
  LoadedConfig load(const std::string& yaml, const std::string& variable = "") const {
    return load_config(
        yaml,
        [&variable](const std::string& name) -> std::optional<std::string> {
          return name == "STORE_BUSY_MAX" ? std::optional{variable} : std::nullopt;
        },
        tables_);
  }
  static seconds value_in(const LoadedConfig& loaded) {
    EXPECT_THAT(loaded.findings.errors, IsEmpty());
    EXPECT_THAT(loaded.findings.unknown_keys, IsEmpty());
    return loaded.config.coordinator.store_busy_max;
  }

  const ConfigTables tables_ = tables_with_own_row();
};

TEST_F(OwnKey, IsReadFromTheFileAndTheEnvironment) {
  EXPECT_EQ(value_in(load("")), seconds(10));
  EXPECT_EQ(value_in(load("StoreBusyMax: 3\n")), seconds(3));
  EXPECT_EQ(value_in(load("", "4")), seconds(4));
  EXPECT_EQ(value_in(load("StoreBusyMax: 3\n", "4")), seconds(3));
}

TEST_F(OwnKey, IsCheckedByItsRow) {
  EXPECT_THAT(load("StoreBusyMax: 0\n").findings.errors,
              ElementsAre("StoreBusyMax: expected an integer from 1 to 600, found '0'"));
  EXPECT_THAT(load("", "soon").findings.errors,
              ElementsAre("StoreBusyMax: expected an integer from 1 to 600, found 'soon' "
                          "(environment variable STORE_BUSY_MAX)"));
  EXPECT_THAT(load("StoreBusyMaz: 1\n").findings.errors,
              ElementsAre("line 1: unknown key 'StoreBusyMaz'; 'StoreBusyMax' was probably meant"));
}

TEST_F(OwnKey, IsPrintedInTheConfigurationTheSampleAndThePage) {
  const Config config = load("StoreBusyMax: 3\n").config;
  EXPECT_THAT(print_config(config, tables_), HasSubstr("\nStoreBusyMax: 3\n"));
  EXPECT_EQ(summarize(config, tables_), "StoreBusyMax=3");
  EXPECT_THAT(print_sample(tables_),
              HasSubstr("\n# seconds for which a change is tried again while the store is busy (1 "
                        "to 600, reload)\n#StoreBusyMax: 10\n"));
  EXPECT_THAT(print_key_page(tables_),
              HasSubstr("\n| `StoreBusyMax` | `STORE_BUSY_MAX` | `10` | seconds for which a change "
                        "is tried again while the store is busy | 1 to 600, reload |\n"));
}

TEST_F(OwnKey, ReloadsIfItsRowSaysSo) {
  Config running = load("").config;
  EXPECT_THAT(take_over(load("StoreBusyMax: 3\n").config, running, tables_), IsEmpty());
  EXPECT_EQ(running.coordinator.store_busy_max, seconds(3));
}

TEST_F(OwnKey, ReachesTheEngine) {
  test::FakeClock clock;
  persist::MemoryStore memory;
  test::ScriptedStore store{memory};
  test::ScriptedBranches branches;
  const Config config = load("StoreBusyMax: 3\n").config;
  test::CoordinatorWorld world{store, clock, branches, config.coordinator};
  Coordinator& coordinator = world.coordinator();
  const auto prepared = world.start(coordinator.prepare(test::make_request("g", "msg", 1)));
  ASSERT_TRUE(prepared->value());

  store.busy_commits = test::ScriptedStore::always;
  const auto stopped = world.start(coordinator.force_stop(Gid("g")));
  world.advance(seconds(1));
  EXPECT_FALSE(*stopped) << "the change is still tried again";
  world.advance(seconds(3));
  ASSERT_TRUE(*stopped);
  EXPECT_EQ(stopped->value().error().code, EngineErrc::store_busy);
  store.busy_commits = 0;
}

TEST_F(OwnKey, IsUnknownWithoutItsRow) {
  const auto without = load_config("StoreBusyMax: 3\n", [](const auto&) { return std::nullopt; });
  EXPECT_EQ(without.findings.unknown_keys.size(), 1U);
}

}  // namespace
}  // namespace concerto::tools
