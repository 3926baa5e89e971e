#include "bulk/job_record.hpp"

#include <gmock/gmock.h>

namespace concerto {
namespace {

using testing::HasSubstr;

BulkJob full_job() {
  BulkJob job;
  job.id = "1-a";
  job.request.action = BulkAction::skip;
  job.request.selection.statuses = {TransStatus::submitted, TransStatus::aborting};
  job.request.selection.type = TransType::tcc;
  job.request.selection.created_from = WallTime{std::chrono::nanoseconds{1'234'567'890}};
  job.request.selection.created_to = WallTime{std::chrono::seconds{99}};
  job.request.selection.trouble = {"http://b/\"x", "an error\n"};
  job.request.selection.topic = "a topic";
  job.request.branch = {"01", "confirm"};
  job.request.limit = 17;
  job.request.reason = "ticket \u00e4";
  job.state = BulkJob::State::cancelled;
  job.caller = "ops";
  job.created = WallTime{std::chrono::seconds{100}};
  job.updated = WallTime{std::chrono::seconds{101}};
  job.done = 3;
  job.failed = 2;
  job.part_done = 2;
  job.part_failed = 1;
  job.failures = {{Gid("g"), "no"}, {Gid("h"), "{}"}};
  job.trouble = "the store is away";
  job.position = "p";
  return job;
}

TEST(JobRecord, KeepsEverything) {
  EXPECT_EQ(job_from(record_of(full_job())).value(), full_job());
  BulkJob plain;
  plain.id = "2-b";
  EXPECT_EQ(job_from(record_of(plain)).value(), plain);
}

TEST(JobRecord, AMemberOfALaterVersionIsIgnored) {
  std::string record = record_of(full_job());
  record.insert(1, R"("later":{"x":[1]},)");
  EXPECT_EQ(job_from(record).value(), full_job());
}

TEST(JobRecord, DamageIsAnError) {
  std::string renamed = record_of(full_job());
  renamed.replace(renamed.find("skip"), 4, "slip");
  for (const std::string& record : {std::string(), std::string("[]"), std::string("{}"),
                                    record_of(full_job()).substr(1), renamed}) {
    const auto job = job_from(record);
    ASSERT_FALSE(job) << record;
    EXPECT_EQ(job.error().code, EngineErrc::store_damaged);
    EXPECT_THAT(job.error().detail, HasSubstr("operator's job"));
  }
}

}  // namespace
}  // namespace concerto
