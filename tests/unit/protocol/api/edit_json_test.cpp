// The bodies of edits of branches.

#include "api/edit_json.hpp"

#include <ostream>

#include <gmock/gmock.h>

#include "api/bulk_json.hpp"

namespace concerto::net {
namespace {

using testing::HasSubstr;

TEST(EditBody, NamesARowAndWhatItGets) {
  const EditBody body = edit_body_from(R"({"gid":"g","branchId":"01","op":"action",
      "url":"http://b/","payload":"p","reason":"r","dryRun":true})")
                            .value();
  EXPECT_EQ(body.edit.gid, Gid{"g"});
  EXPECT_EQ(body.edit.row, (BranchRow{"01", "action"}));
  EXPECT_EQ(body.edit.url, "http://b/");
  EXPECT_EQ(body.edit.payload, "p");
  EXPECT_EQ(body.reason, "r");
  EXPECT_TRUE(body.dry_run);
}

TEST(EditBody, HasBytesInBase64AndAPayloadMayBeEmpty) {
  EXPECT_EQ(edit_body_from(R"({"gid":"g","payloadBase64":"AP8=","dryRun":true})")->edit.payload,
            std::string("\0\xFF", 2));
  const EditBody empty =
      edit_body_from(R"({"gid":"g","branchId":"01","op":"action","payload":""})").value();
  EXPECT_EQ(empty.edit.payload, "");
  EXPECT_EQ(empty.edit.url, std::nullopt);
}

struct BadEdit {
  const char* text;
  const char* told;
};
void PrintTo(const BadEdit& row, std::ostream* out) {
  *out << row.text;
}

class EditBodyError : public testing::TestWithParam<BadEdit> {};

TEST_P(EditBodyError, NamesTheField) {
  const auto body = edit_body_from(GetParam().text);
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Errc::invalid_request);
  EXPECT_THAT(body.error().detail, HasSubstr(GetParam().told));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, EditBodyError,
    testing::Values(BadEdit{R"({"gid":"g","url":"a"})", "needs both, and both are missing"},
                    BadEdit{R"({"gid":"g","op":"action","url":"a"})", "branchId is missing"},
                    BadEdit{R"({"gid":"g","branchId":"01","url":"a"})", "op is missing"},
                    BadEdit{"", "the request body"}, BadEdit{"[]", "must be an object"},
                    BadEdit{R"({"gid":1})", "'gid'"}, BadEdit{R"({"url":null})", "'url'"},
                    BadEdit{R"({"url":"a","url":"b"})", "'url' is there 2 times"},
                    BadEdit{R"({"payload":"a","payloadBase64":"YQ=="})", "expected one of them"},
                    BadEdit{R"({"payloadBase64":"?"})", "payloadBase64"},
                    BadEdit{R"({"ulr":"a"})", "unknown member 'ulr'"},
                    BadEdit{R"({"select":{}})", "unknown member 'select'"}));

TEST(EditAnswer, HasBothUrlsAndNoPayload) {
  BranchEdited edited;
  edited.row = {"01", "action"};
  edited.url_before = "http://a/";
  edited.url = "http://b/";
  edited.payload_bytes_before = 3;
  edited.payload_bytes = 4;
  EXPECT_EQ(edited_json(edited),
            R"({"done":1,"failed":0,"branchId":"01","op":"action","urlBefore":"http://a/",)"
            R"("url":"http://b/","payloadBytesBefore":3,"payloadBytes":4})");
  edited.trans.gid = Gid{"g"};
  EXPECT_THAT(edit_preview_json(edited, std::chrono::minutes{0}, ModeTable::standard()),
              testing::AllOf(HasSubstr(R"("dryRun":true,"matched":1)"), HasSubstr(R"("gid":"g")"),
                             HasSubstr(R"("urlBefore":"http://a/")")));
}

TEST(EditDetails, HaveTheUrlAndTheSizeOfThePayload) {
  EXPECT_EQ(action_details(R"({"gid":"g","branchId":"01","op":"action","url":"http://b/",
      "payload":"secret","reason":"r"})"),
            "branchId 01, op action, url http://b/, payload of 6 bytes");
}

}  // namespace
}  // namespace concerto::net
