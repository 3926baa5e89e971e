#include "coordinator_answers.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace concerto::tools {
namespace {

struct AnswerCase {
  const char* path;
  const char* answer;
  bool is_of_coordinator;
};

class CoordinatorAnswers : public testing::TestWithParam<AnswerCase> {};

TEST_P(CoordinatorAnswers, AreToldFromOthers) {
  const AnswerCase& param = GetParam();
  EXPECT_EQ(is_answer_of_coordinator(param.path, json::parse(param.answer)),
            param.is_of_coordinator)
      << param.path << " " << param.answer;
}

INSTANTIATE_TEST_SUITE_P(
    All, CoordinatorAnswers,
    testing::Values(AnswerCase{"/api/dtmsvr/version", R"({"version":"v1"})", true},
                    AnswerCase{"/api/dtmsvr/version", R"({"version":""})", false},
                    AnswerCase{"/api/dtmsvr/version", R"({"version":{}})", false},
                    // The reference says null where a list is empty.
                    AnswerCase{"/api/dtmsvr/all", R"({"transactions":null,"next_position":""})",
                               true},
                    AnswerCase{"/api/dtmsvr/all", R"({"transactions":[]})", false},
                    AnswerCase{"/api/dtmsvr/all", R"({"dtm_result":"SUCCESS"})", false},
                    AnswerCase{"/api/dtmsvr/all", "[]", false},
                    AnswerCase{"/api/dtmsvr/all", "null", false},
                    AnswerCase{"/api/concerto/retry", R"({"done":1,"failed":0})", true},
                    AnswerCase{"/api/concerto/retry", R"({"dryRun":true,"matched":0})", true},
                    AnswerCase{"/api/concerto/retry", R"({"id":"1","state":"running"})", true},
                    AnswerCase{"/api/concerto/retry", R"({"done":1})", false},
                    AnswerCase{"/api/concerto/retry", R"({"id":"1"})", false},
                    AnswerCase{"/api/concerto/resume", "{}", true},
                    AnswerCase{"/api/concerto/resume", "[]", false}));

TEST(CoordinatorAnswersTest, SomeTellNothing) {
  EXPECT_TRUE(has_telling_answer("/api/concerto/stop"));
  EXPECT_FALSE(has_telling_answer("/api/concerto/resume"));
  EXPECT_FALSE(has_telling_answer("/api/dtmsvr/subscribe"));
  EXPECT_FALSE(has_telling_answer("/api/dtmsvr/forceStop"));
}

TEST(CoordinatorAnswersTest, MetricsAreOfACoordinator) {
  EXPECT_TRUE(is_metrics_page("# HELP x\nconcerto_ready 1\n"));
  EXPECT_TRUE(is_metrics_page("concerto_ready 1\n"));
  EXPECT_FALSE(is_metrics_page("# TYPE up gauge\nup 1\n"));
  EXPECT_FALSE(is_metrics_page(""));
}

}  // namespace
}  // namespace concerto::tools
