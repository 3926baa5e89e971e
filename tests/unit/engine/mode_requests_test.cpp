// What each mode makes of a request: the branches of its steps, the rows of a registered branch,
// and custom_data. The table of the modes is tested here too.

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mode_state.hpp"

namespace concerto::test {
namespace {

using testing::HasSubstr;

const auto name_of_row = [](const auto& row) { return std::string(row.param.name); };

struct ExpandCase {
  const char* name;
  const Mode* mode;
  std::vector<Step> steps;
  std::string want;  ///< as text_of(branches), or the error
};
void PrintTo(const ExpandCase& row, std::ostream* out) {
  *out << row.name;
}

class ModeExpand : public testing::TestWithParam<ExpandCase> {};

TEST_P(ModeExpand, LaysOutTheBranches) {
  TransRequest request;
  request.steps = GetParam().steps;
  request.topics["one"] = {"u1"};
  request.topics["two"] = {"u1", "u2"};
  request.topics["none"] = {};
  request.topics["many"] = std::vector<std::string>(branches_max, "u");
  Transaction trans;
  const Result<> expanded = GetParam().mode->expand(request, trans);
  EXPECT_EQ(expanded ? text_of(trans.branches) : expanded.error().detail, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ModeExpand,
    testing::Values(
        ExpandCase{"SagaWithoutSteps", &modes::saga, {}, ""},
        ExpandCase{"SagaHasTwoRowsPerStep",
                   &modes::saga,
                   {{"a1", "c1"}, {"a2", ""}},
                   "01 compensate c1, 01 action a1, 02 compensate , 02 action a2"},
        ExpandCase{"MsgWithoutSteps", &modes::msg, {}, ""},
        ExpandCase{"MsgHasARowPerStep",
                   &modes::msg,
                   {{"a1", ""}, {"a2", ""}},
                   "01 action a1, 02 action a2"},
        ExpandCase{"MsgToATopicOfOne", &modes::msg, {{"topic://one", ""}}, "01 action u1"},
        ExpandCase{"MsgToATopicOfTwo",
                   &modes::msg,
                   {{"a1", ""}, {"topic://two", ""}},
                   "01 action a1, 02-01 action u1, 02-02 action u2"},
        ExpandCase{"MsgToAnEmptyTopic", &modes::msg, {{"topic://none", ""}}, "topic not found"},
        ExpandCase{"MsgToAnUnknownTopic", &modes::msg, {{"topic://x", ""}}, "topic not found"},
        ExpandCase{"MsgToTooManySubscribers",
                   &modes::msg,
                   {{"a1", ""}, {"topic://many", ""}},
                   "steps and topics make more than 20000 branches"}),
    name_of_row);

TEST(ModeExpand, GivesBothRowsOfAStepItsPayload) {
  TransRequest request;
  request.steps = {{"a1", "c1"}, {"a2", "c2"}};
  Transaction trans;
  ASSERT_TRUE(modes::saga.expand(request, trans));
  ASSERT_EQ(trans.branches.size(), 2 * modes::saga.rows_per_step);
  for (std::size_t i = 0; i < trans.branches.size(); ++i) {
    EXPECT_EQ(trans.branches[i].payload, i / 2);
  }
}

TEST(ModeExpand, IsMissingWhereBranchesAreRegistered) {
  for (const Mode* mode : ModeTable::standard().all()) {
    EXPECT_NE(mode->expand == nullptr, mode->register_branch == nullptr) << mode->name;
  }
}

struct RegisterCase {
  const char* name;
  const Mode* mode;
  std::map<std::string, std::string> fields;
  std::string want;  ///< as text_of(branches), or a part of the error
};
void PrintTo(const RegisterCase& row, std::ostream* out) {
  *out << row.name;
}

class ModeRegister : public testing::TestWithParam<RegisterCase> {};

TEST_P(ModeRegister, MakesTheRowsOfABranch) {
  BranchRequest request;
  request.branch_id = "07";
  request.fields = GetParam().fields;
  std::vector<Branch> rows;
  const Result<> made = GetParam().mode->register_branch(request, rows);
  if (made) {
    EXPECT_EQ(text_of(rows), GetParam().want);
  } else {
    EXPECT_EQ(made.error().code, EngineErrc::invalid_entry);
    EXPECT_EQ(made.error().detail, GetParam().want);
  }
}

const std::string long_url(url_bytes_max + 1, 'u');
const std::string url_is_long = " has 8193 bytes, at most 8192 are allowed";

INSTANTIATE_TEST_SUITE_P(
    Table, ModeRegister,
    testing::Values(
        RegisterCase{
            "Tcc", &modes::tcc, {{"confirm", "u"}, {"cancel", "v"}}, "07 cancel v, 07 confirm u"},
        RegisterCase{
            "TccWithoutCancel", &modes::tcc, {{"confirm", "u"}}, "07 cancel , 07 confirm u"},
        RegisterCase{
            "TccLongConfirm", &modes::tcc, {{"confirm", long_url}}, "confirm" + url_is_long},
        RegisterCase{"TccLongCancel", &modes::tcc, {{"cancel", long_url}}, "cancel" + url_is_long},
        RegisterCase{"Xa", &modes::xa, {{"url", "u"}}, "07 rollback u, 07 commit u"},
        RegisterCase{"XaWithoutUrl", &modes::xa, {}, "07 rollback , 07 commit "},
        RegisterCase{"XaLongUrl", &modes::xa, {{"url", long_url}}, "url" + url_is_long},
        RegisterCase{"Workflow",
                     &modes::workflow,
                     {{"op", "action"}, {"status", "succeed"}},
                     "07 action  succeed"},
        RegisterCase{"WorkflowFailed",
                     &modes::workflow,
                     {{"op", "action"}, {"status", "failed"}},
                     "07 action  failed"},
        RegisterCase{"WorkflowWithoutOp",
                     &modes::workflow,
                     {{"status", "succeed"}},
                     "op has 0 characters, 1 to 45 are allowed"},
        RegisterCase{"WorkflowLongOp",
                     &modes::workflow,
                     {{"op", std::string(46, 'o')}, {"status", "succeed"}},
                     "op has 46 characters, 1 to 45 are allowed"},
        RegisterCase{"WorkflowWithoutStatus",
                     &modes::workflow,
                     {{"op", "action"}},
                     "status must be 'prepared', 'succeed' or 'failed', not ''"}),
    name_of_row);

struct CustomCase {
  const char* name;
  const Mode* mode;
  const char* text;
  std::string want;  ///< as shown(), or the error
};
void PrintTo(const CustomCase& row, std::ostream* out) {
  *out << row.name;
}

/// The fields that differ from their defaults.
std::string shown(const CustomData& custom) {
  std::string text;
  if (custom.concurrent) text += "concurrent ";
  if (custom.delay.count() != 0) text += "delay " + std::to_string(custom.delay.count()) + " ";
  for (const auto& before : custom.orders) {
    text += "[";
    for (const std::uint32_t step : before) text += std::to_string(step);
    text += "]";
  }
  return text + custom.name + (custom.data.empty() ? "" : "(" + custom.data + ")");
}

class ModeCustomData : public testing::TestWithParam<CustomCase> {};

TEST_P(ModeCustomData, IsReadByItsMode) {
  constexpr std::size_t step_count = 3;
  const auto custom = parse_custom_data(*GetParam().mode, GetParam().text, step_count);
  EXPECT_EQ(custom ? shown(*custom) : custom.error().detail, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Saga, ModeCustomData,
    testing::Values(CustomCase{"Empty", &modes::saga, "", ""},
                    CustomCase{"Null", &modes::saga, "null", ""},
                    CustomCase{"Concurrent", &modes::saga, R"({"concurrent":true})", "concurrent "},
                    CustomCase{"Orders", &modes::saga, R"({"orders":{"1":[0],"2":[0,1]}})",
                               "[][0][01]"},
                    CustomCase{"NoOrders", &modes::saga, R"({"orders":null,"other":1})", ""},
                    CustomCase{"ConcurrentIsANumber", &modes::saga, R"({"concurrent":1})",
                               "custom_data: concurrent is not a boolean"},
                    CustomCase{"OrdersAreAList", &modes::saga, R"({"orders":[]})",
                               "custom_data: orders is not an object"},
                    CustomCase{"UnknownStep", &modes::saga, R"({"orders":{"3":[0]}})",
                               "custom_data: orders names step '3', which is none of the 3 steps"},
                    CustomCase{"StepIsNoNumber", &modes::saga, R"({"orders":{"1x":[0]}})",
                               "custom_data: orders names step '1x', which is none of the 3 steps"},
                    CustomCase{"OrderIsNoList", &modes::saga, R"({"orders":{"1":0}})",
                               "custom_data: orders of step 1 is not an array"},
                    CustomCase{"OrderNamesALaterStep", &modes::saga, R"({"orders":{"1":[2]}})",
                               "custom_data: orders of step 1 must name earlier steps, not 2"},
                    CustomCase{"NoObject", &modes::saga, "[]", "custom_data: not a JSON object"}),
    name_of_row);

INSTANTIATE_TEST_SUITE_P(
    Others, ModeCustomData,
    testing::Values(
        CustomCase{"MsgDelay", &modes::msg, R"({"delay":5})", "delay 5 "},
        CustomCase{"MsgDelayOfOldClients", &modes::msg, R"({"Delay":5})", "delay 5 "},
        CustomCase{"MsgDelayInThePast", &modes::msg, R"({"delay":-1})",
                   "custom_data: delay must be a number of seconds from 0 to 2147483647, not -1"},
        CustomCase{"MsgDelayIsAText", &modes::msg, R"({"delay":"5"})",
                   "custom_data: delay must be a number of seconds from 0 to 2147483647, not a "
                   "string"},
        CustomCase{"Workflow", &modes::workflow, R"({"name":"w","data":"eyJhIjoxfQ=="})",
                   R"(w({"a":1}))"},
        CustomCase{"WorkflowWithoutData", &modes::workflow, R"({"name":"w","data":null})", "w"},
        CustomCase{"WorkflowWithoutName", &modes::workflow, "{}",
                   "custom_data: name is not a string"},
        CustomCase{"WorkflowDataIsANumber", &modes::workflow, R"({"name":"w","data":1})",
                   "custom_data: data is not a string"},
        CustomCase{"WorkflowDataIsNoBase64", &modes::workflow, R"({"name":"w","data":"*"})",
                   "custom_data: data is not base64"},
        CustomCase{"TccKeepsAnyText", &modes::tcc, "{", ""},
        CustomCase{"XaKeepsAnyText", &modes::xa, "{", ""}),
    name_of_row);

TEST(ModeCustomData, OfAStoredSagaMayNameOnlyItsSteps) {
  const ModeState stored(TransStatus::submitted, {"compensate", "action"}, "PPPP");
  EXPECT_TRUE(parse_custom_data(modes::saga, R"({"orders":{"1":[0]}})", stored.trans));
  EXPECT_FALSE(parse_custom_data(modes::saga, R"({"orders":{"2":[0]}})", stored.trans));
}

TEST(ModeTable, FindsModesByNumberAndName) {
  const ModeTable& table = ModeTable::standard();
  EXPECT_EQ(table.find(TransType::tcc), &modes::tcc);
  EXPECT_EQ(table.find("workflow"), &modes::workflow);
  EXPECT_EQ(table.find(TransType{7}), nullptr);
  EXPECT_EQ(table.find("SAGA"), nullptr);
  EXPECT_EQ(table.name_of(TransType::xa), "xa");
  EXPECT_EQ(table.name_of(TransType{7}), "unknown");
  EXPECT_EQ(table.names(), "saga, msg, tcc, xa and workflow");
  EXPECT_EQ(table.names(is_resumed), "workflow");
}

// The numbers are in stores, and the names on the wire.
TEST(ModeTable, KeepsTheNumbersOfTheProtocolsModes) {
  std::string shown;
  for (const Mode* mode : ModeTable::standard().all()) {
    shown += std::to_string(static_cast<int>(mode->type)) + " " + std::string(mode->name) + " ";
  }
  EXPECT_EQ(shown, "1 saga 2 msg 3 tcc 4 xa 5 workflow ");
}

TEST(ModeTableDeathTest, RefusesModesThatCannotBeFound) {
  Mode own = modes::saga;
  own.name = "own";
  EXPECT_DEATH(ModeTable({&modes::saga, &own}), "find\\(mode->type\\)");
  own.type = TransType{6};
  own.name = "saga";
  EXPECT_DEATH(ModeTable({&modes::saga, &own}), "find\\(mode->name\\)");
  own.name = "own";
  for (const int number : {0, 8}) {
    own.type = static_cast<TransType>(number);
    EXPECT_DEATH(ModeTable({&own}), "is_mode_number");
  }
}

}  // namespace
}  // namespace concerto::test
