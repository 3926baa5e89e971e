#include "load.hpp"

#include <cstdio>
#include <string_view>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include <concerto/base/task_group.hpp>

namespace concerto::bench {
namespace {

/// All gids have the same length, because the reference's embedded store takes the branches of a
/// gid for those of another gid that it begins with.
constexpr std::uint64_t first_number = 1'000'000'000;

/// 100 bytes: a google.protobuf.StringValue, or an object of JSON.
std::string payload_of(std::string_view wire) {
  if (wire == "grpc") return "\n\x62" + std::string(98, 'p');
  return R"({"text":")" + std::string(89, 'p') + R"("})";
}

std::string url_of(const Arguments& arguments, std::string_view method) {
  std::string out = arguments.wire == "grpc" ? "" : "http://";
  out += arguments.branches;
  out += arguments.wire == "grpc" ? "/bench.Bank/" : "/";
  return out.append(method);
}

Async<> no_work() {
  co_return ok();
}

Task<void> sleep(Executor executor, std::chrono::milliseconds time) {
  asio::steady_timer timer(executor, time);
  co_await timer.async_wait(asio::use_awaitable_t<Executor>{});
}

}  // namespace

Load::Load(Executor executor, Arguments arguments)
    : executor_(executor),
      arguments_(std::move(arguments)),
      payload_(payload_of(arguments_.wire)),
      out_(url_of(arguments_, "TransOut")),
      out_back_(url_of(arguments_, "TransOutBack")),
      in_(url_of(arguments_, "TransIn")),
      in_back_(url_of(arguments_, "TransInBack")),
      query_(url_of(arguments_, "Query")),
      client_(std::move(executor), arguments_.coordinator) {}

Task<void> Load::run() {
  TaskGroup transactions(executor_);
  for (std::size_t i = 0; i < arguments_.in_flight; ++i) transactions.spawn(begin_in_turn());
  co_await sleep(executor_, arguments_.warm_up);
  const std::uint64_t before = ended_;
  std::puts("begin");
  std::fflush(stdout);
  co_await sleep(executor_, arguments_.measured);
  std::printf("end %llu\n", static_cast<unsigned long long>(ended_ - before));
  std::fflush(stdout);
  stops_ = true;
  co_await transactions.join();
  co_await client_.close();
}

Task<void> Load::begin_in_turn() {
  while (!stops_) {
    std::string gid = arguments_.prefix + std::to_string(first_number + ++begun_);
    Async<> running = arguments_.mode == "saga" ? saga(std::move(gid)) : msg(std::move(gid));
    const Result<> done = co_await std::move(running);
    ++ended_;
    if (!done) {
      failure_ = done.error().detail;
      stops_ = true;
    }
  }
}

Async<> Load::saga(std::string gid) {
  client::Saga saga = client_.saga(std::move(gid));
  saga.options.wait_result = true;
  saga.add(out_, out_back_, payload_);
  saga.add(in_, in_back_, payload_);
  return saga.submit();
}

Async<> Load::msg(std::string gid) {
  client::Msg msg = client_.msg(std::move(gid));
  msg.options.wait_result = true;
  msg.add(out_, payload_);
  msg.add(in_, payload_);
  return msg.do_and_submit(query_, no_work);
}

}  // namespace concerto::bench
