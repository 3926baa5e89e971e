#include "trouble.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concerto::test {
namespace {

struct TroubleCase {
  const char* name;
  TransType type;
  TransStatus status;
  std::vector<std::string> rows;  ///< `<branch_id> <op> <P, S or F>`; the URL is `<op><branch_id>`
  std::vector<std::string> urls;
};

void PrintTo(const TroubleCase& row, std::ostream* out) {
  *out << row.name;
}

Transaction stored(const TroubleCase& row) {
  Transaction trans;
  trans.gid = Gid{"g"};
  trans.type = row.type;
  trans.status = row.status;
  trans.query_prepared = "q";
  if (row.type == TransType::workflow) trans.custom_data = R"({"name":"w","data":null})";
  for (const std::string& text : row.rows) {
    Branch branch;
    branch.branch_id = BranchId{text.substr(0, 2)};
    branch.op = text.substr(3, text.size() - 5);
    branch.url = branch.op + branch.branch_id.str();
    const char status = text.back();
    branch.status = status == 'P'   ? BranchStatus::prepared
                    : status == 'S' ? BranchStatus::succeed
                                    : BranchStatus::failed;
    trans.branches.push_back(std::move(branch));
  }
  return trans;
}

class TroubleUrls : public testing::TestWithParam<TroubleCase> {};

/// Stores differ in whether a prepared transaction waits.
TEST_P(TroubleUrls, IsAtWhatIsCalledNextOrHasFailed) {
  Transaction trans = stored(GetParam());
  for (const bool waits : {false, true}) {
    trans.waits = waits;
    EXPECT_EQ(trouble_urls(trans, ModeTable::standard()), GetParam().urls) << "waits " << waits;
    for (const Branch& branch : trans.branches) {
      EXPECT_EQ(has_trouble_at(trans, ModeTable::standard(), branch.url),
                testing::Value(GetParam().urls, testing::Contains(branch.url)));
    }
  }
}

std::vector<TroubleCase> trouble_cases() {
  using enum TransType;
  using enum TransStatus;
  const std::vector<std::string> stuck_saga{"01 compensate P", "01 action S", "02 compensate P",
                                            "02 action P"};
  const std::vector<std::string> tcc_rows{"01 cancel P", "01 confirm P"};
  return {
      {"NextAction", saga, submitted, stuck_saga, {"action02"}},
      {"NextCompensation", saga, aborting, stuck_saga, {"compensate02"}},
      {"SucceededHasNone", saga, succeed, {"01 compensate P", "01 action S"}, {}},
      {"FailedAction",
       saga,
       failed,
       {"01 compensate S", "01 action S", "02 compensate S", "02 action F"},
       {"action02"}},
      {"StoppedBeforeACallOfTheCompensation", saga, failed, stuck_saga, {}},
      {"UndoneAfterATimeout",
       saga,
       failed,
       {"01 compensate S", "01 action S", "02 compensate S", "02 action P", "03 compensate P",
        "03 action P"},
       {"action02"}},
      {"PreparedMsg", msg, prepared, {"01 action P"}, {"q"}},
      {"SubmittedMsg", msg, submitted, {"01 action S", "02 action P"}, {"action02"}},
      {"AbortedMsgCalledNobody", msg, failed, {"01 action P"}, {}},
      {"PreparedTcc", tcc, prepared, tcc_rows, {}},
      {"SubmittedTcc", tcc, submitted, tcc_rows, {"confirm01"}},
      {"CancelledTccConfirmedNothing", tcc, failed, {"01 cancel S", "01 confirm P"}, {}},
      {"StoppedTcc", tcc, failed, tcc_rows, {}},
      {"RolledBackXa", xa, failed, {"01 rollback S", "01 commit P"}, {}},
      {"PreparedWorkflow", workflow, prepared, {"01 action S"}, {"q"}},
      {"FailedStepOfAWorkflow", workflow, failed, {"01 action F"}, {"action01"}},
  };
}

INSTANTIATE_TEST_SUITE_P(Table, TroubleUrls, testing::ValuesIn(trouble_cases()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(TroubleAt, IsFoundByWhatTransactionsHaveInCommon) {
  Transaction trans = stored({"", TransType::msg, TransStatus::submitted, {"01 action P"}, {}});
  trans.branches.front().url = "http://h/orders/g/take?order=17";
  const ModeTable& modes = ModeTable::standard();
  EXPECT_TRUE(has_trouble_at(trans, modes, "http://h/orders/{gid}/take"));
  EXPECT_TRUE(has_trouble_at(trans, modes, "orders/g/take?order=17"));
  EXPECT_FALSE(has_trouble_at(trans, modes, "http://h/orders/{gid}/give"));
}

}  // namespace
}  // namespace concerto::test
