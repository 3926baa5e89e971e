#include "discovery/etcd_client.hpp"

#include <optional>

#include "etcd_fixture.hpp"

namespace concerto::net::test {
namespace {

using Answer = Result<etcdserverpb::RangeResponse>;

class EtcdClientTest : public EtcdClusterTest {};

TEST_F(EtcdClientTest, AMemberThatWasNotAskedInTimeHasNotFailed) {
  etcd_.hang();
  other_.hang();
  EtcdClient client{shard_, parse_host_ports(all_hosts()).value(), EtcdAccess{}};
  std::optional<Answer> answer;
  asio::co_spawn(
      io_,
      client.call_until<etcdserverpb::RangeResponse>(
          "/etcdserverpb.KV/Range", etcdserverpb::RangeRequest{}, timers_.now() + etcd_patience),
      [&](const std::exception_ptr&, Answer result) { answer = std::move(result); });
  poll();
  advance(etcd_patience);
  run_until([&] { return answer.has_value(); });
  EXPECT_FALSE(*answer);
  EXPECT_EQ(observer_.count(LogLevel::warn), 1U) << "of the one that was asked";
  etcd_.resume();
  other_.resume();
  await(client.close());
}

TEST_F(EtcdClientTest, NoMemberFailsByACallWithoutTime) {
  EtcdClient client{shard_, parse_host_ports(all_hosts()).value(), EtcdAccess{}};
  std::optional<Answer> answer;
  asio::co_spawn(io_,
                 client.call_until<etcdserverpb::RangeResponse>(
                     "/etcdserverpb.KV/Range", etcdserverpb::RangeRequest{}, timers_.now()),
                 [&](const std::exception_ptr&, Answer result) { answer = std::move(result); });
  run_until([&] { return answer.has_value(); });
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().code, make_unsent_error_code(GrpcCode::deadline_exceeded));
  EXPECT_EQ(observer_.count(LogLevel::warn), 0U);
  await(client.close());
}

}  // namespace
}  // namespace concerto::net::test
