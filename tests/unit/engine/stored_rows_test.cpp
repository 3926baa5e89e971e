#include "stored_rows.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace concerto::test {
namespace {

struct RowsCase {
  const char* name;
  TransType type;
  TransStatus status;
  std::vector<std::string> rows;  ///< `<branch_id> <op>`
  std::string why;                ///< empty: the rows are sound
};

Transaction stored_in(const RowsCase& row) {
  Transaction trans;
  trans.gid = Gid{"g"};
  trans.type = row.type;
  trans.status = row.status;
  for (const std::string& text : row.rows) {
    Branch branch;
    branch.branch_id = BranchId{text.substr(0, text.find(' '))};
    branch.op = text.substr(text.find(' ') + 1);
    trans.branches.push_back(std::move(branch));
  }
  return trans;
}

class StoredRows : public testing::TestWithParam<RowsCase> {};

TEST_P(StoredRows, AreSoundOrNamed) {
  const Transaction trans = stored_in(GetParam());
  const auto read = read_stored(*ModeTable::standard().find(trans.type), trans);
  EXPECT_EQ(read.has_value(), GetParam().why.empty());
  if (read) return;
  EXPECT_EQ(read.error().code, EngineErrc::store_damaged);
  EXPECT_EQ(read.error().detail, "transaction 'g' is damaged: " + GetParam().why);
}

std::vector<RowsCase> rows_cases() {
  using enum TransType;
  using enum TransStatus;
  return {RowsCase{"Saga",
                   saga,
                   submitted,
                   {"01 compensate", "01 action", "02 compensate", "02 action"},
                   ""},
          RowsCase{"SagaPreparedWithoutSteps", saga, prepared, {}, ""},
          RowsCase{"SagaWithoutRows", saga, submitted, {}, "it has no branches"},
          RowsCase{"SagaWithoutItsLastAction",
                   saga,
                   submitted,
                   {"01 compensate"},
                   "branch 01 has no action"},
          RowsCase{"SagaWithoutACompensation",
                   saga,
                   aborting,
                   {"01 action", "02 compensate", "02 action"},
                   "branch 01 compensate is missing before branch 01 action"},
          RowsCase{"SagaWithoutAStep",
                   saga,
                   submitted,
                   {"01 compensate", "01 action", "03 compensate", "03 action"},
                   "branch 02 compensate is missing before branch 03 compensate"},
          RowsCase{"SagaWithADoubledRow",
                   saga,
                   submitted,
                   {"01 compensate", "01 action", "01 action"},
                   "branch 01 action is there twice"},
          RowsCase{"FinishedSagaIsNotChecked", saga, failed, {"01 action"}, ""},
          RowsCase{"Msg", msg, submitted, {"01 action", "02 action"}, ""},
          RowsCase{"MsgOfTopics",
                   msg,
                   submitted,
                   {"01-01 action", "01-02 action", "02 action", "03-01 action", "03-02 action"},
                   ""},
          RowsCase{"MsgWithoutAStep",
                   msg,
                   submitted,
                   {"02 action"},
                   "a branch is missing before branch 02 action"},
          RowsCase{"MsgWithoutASubscriber",
                   msg,
                   submitted,
                   {"01-01 action", "01-03 action"},
                   "a branch is missing before branch 01-03 action"},
          RowsCase{"Tcc", tcc, submitted, {"b cancel", "b confirm", "a cancel", "a confirm"}, ""},
          RowsCase{"TccWithoutBranches", tcc, submitted, {}, ""},
          RowsCase{"TccWithoutAConfirm", tcc, submitted, {"01 cancel"}, "branch 01 has no confirm"},
          RowsCase{"TccWithoutACancel", tcc, aborting, {"01 confirm"}, "branch 01 has no cancel"},
          RowsCase{"Xa", xa, submitted, {"01 rollback", "01 commit"}, ""},
          RowsCase{"XaWithoutACommit", xa, submitted, {"01 rollback"}, "branch 01 has no commit"}};
}

INSTANTIATE_TEST_SUITE_P(All, StoredRows, testing::ValuesIn(rows_cases()),
                         [](const auto& row) { return row.param.name; });

TEST(StoredCustomData, ThatIsBrokenNamesTheGid) {
  Transaction trans =
      stored_in({"", TransType::saga, TransStatus::submitted, {"01 compensate", "01 action"}, ""});
  trans.custom_data = "{";
  const auto read = read_stored(*ModeTable::standard().find(TransType::saga), trans);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, EngineErrc::store_damaged);
  EXPECT_EQ(read.error().detail.find("transaction 'g' is damaged: custom_data: "), 0U);
}

}  // namespace
}  // namespace concerto::test
