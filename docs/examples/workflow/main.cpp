// A workflow that is rolled back, and survives a kill -9 of its program in the middle.
//
//     workflow <coordinator> <port> <file of SQLite> begin     begins it, and dies
//     workflow <coordinator> <port> <file of SQLite>           serves until it has ended
//
// The coordinator calls the port to have the workflow resumed.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <concerto/base/notifier.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/client/client.hpp>
#include <concerto/transport/http_server.hpp>
#include <concerto/transport/listener.hpp>
#include <concerto/transport/system.hpp>

#include "trip.hpp"

using concerto::Result;
using concerto::Task;
namespace asio = boost::asio;
namespace client = concerto::client;
namespace net = concerto::net;

namespace {

class App {
 public:
  App(const char* coordinator, const std::string& port, Trip& trip)
      : client_(io_.get_executor(), coordinator),
        workflows_(client_.workflows("http://127.0.0.1:" + port + "/workflow")),
        http_(io_.get_executor(), timers_,
              [this](net::HttpRequest request) { return serve(std::move(request)); }),
        listener_(io_.get_executor(), timers_, {&http_}) {
    client::WorkflowOptions options;
    options.trans.retry_interval = std::chrono::seconds{1};  // until it is resumed
    workflows_.add(
        Trip::name,
        [&trip](client::Workflow& workflow, std::string traveller) {
          return trip.book(workflow, std::move(traveller));
        },
        options);
    const asio::ip::tcp::endpoint address(asio::ip::address_v4::loopback(),
                                          static_cast<std::uint16_t>(std::stoi(port)));
    if (const auto listens = listener_.listen(address); !listens) {
      throw std::runtime_error(listens.error().detail);
    }
  }

  void begin() { run(execute()); }
  /// Returns the answer to the coordinator: 409 says that the workflow has been rolled back.
  unsigned serve_until_end() {
    run(end());
    return answered_;
  }

 private:
  void run(Task<void> task) {
    tasks_.spawn(std::move(task));
    io_.run();
  }

  Task<void> execute() {
    const Result<std::string> gid = co_await client_.new_gid();
    if (!gid) throw std::runtime_error(gid.error().detail);
    const auto result = co_await workflows_.execute(Trip::name, *gid, "Ann");
    std::printf("%s\n", result ? result->c_str() : result.error().detail.c_str());
    co_await close();
  }

  Task<void> end() {
    while (answered_ != 200 && answered_ != 409) {
      const bool notified = co_await served_.wait();
      if (!notified) co_return;
    }
    co_await close();
  }

  Task<net::HttpResponse> serve(net::HttpRequest request) {
    std::printf("the coordinator has the workflow resumed\n");
    net::HttpResponse answer = co_await workflows_.serve(std::move(request));
    answered_ = answer.status;
    served_.notify_all();
    co_return answer;
  }

  Task<void> close() {
    listener_.close();
    co_await http_.drain(clock_.steady_now() + std::chrono::seconds{5});
    co_await client_.close();
    timers_.disarm();
  }

  asio::io_context io_{1};
  net::SystemClock clock_;
  concerto::Timers timers_{io_.get_executor(), clock_};
  client::Client client_;
  client::Workflows workflows_;
  net::HttpServer http_;
  net::Listener listener_;
  concerto::Notifier served_{io_.get_executor()};
  unsigned answered_ = 0;
  concerto::TaskGroup tasks_{io_.get_executor()};
};

}  // namespace

int main(int count, char** arguments) {
  const bool begins = count == 5 && std::string(arguments[4]) == "begin";
  if (!begins && count != 4) {
    std::fprintf(stderr, "usage: workflow <coordinator> <port> <file of SQLite> [begin]\n");
    return EXIT_FAILURE;
  }
  try {
    Wallet wallet(arguments[3]);
    std::printf("Ann has %d\n", wallet.money());
    Trip trip(wallet, begins);
    App app(arguments[1], arguments[2], trip);
    if (begins) {
      app.begin();  // does not return
      return EXIT_FAILURE;
    }
    const int before = wallet.money();
    const unsigned answered = app.serve_until_end();
    return answered == 409 && before == 70 && wallet.money() == 100 ? EXIT_SUCCESS : EXIT_FAILURE;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
  }
}
