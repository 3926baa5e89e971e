#pragma once

#include <string>
#include <string_view>

#include <gmock/gmock.h>

#include "api_fixture.hpp"

namespace concerto::net::test {

inline constexpr std::string_view success = R"({"dtm_result":"SUCCESS"})";
inline const std::string wait = R"(,"wait_result":true)";

class HttpApiTest : public ApiTest {
 protected:
  using ApiTest::ApiTest;

  void expect_success(const HttpAnswer& answer) {
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, success);
    EXPECT_THAT(answer.head,
                testing::HasSubstr("Content-Type: application/json; charset=utf-8\r\n"));
  }

  void expect_message(const HttpAnswer& answer, unsigned status, const std::string& text) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.body, R"({"message":")" + text + R"("})");
  }

  void expect_failure(const HttpAnswer& answer, const std::string& text) {
    EXPECT_EQ(answer.status, 409U);
    EXPECT_EQ(answer.body, R"({"dtm_result":"FAILURE","message":")" + text + R"("})");
  }
};

}  // namespace concerto::net::test
