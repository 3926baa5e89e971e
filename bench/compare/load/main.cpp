// concerto_compare_load: two-branch sagas with wait_result against a coordinator that runs
// already, concertod or another that speaks the protocol. Prints one JSON object.

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "load.hpp"

namespace concerto::bench {
namespace {

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(share * last)];
}

std::string to_json(const LoadReport& report) {
  const auto transactions = static_cast<double>(report.latencies_us.size());
  boost::json::object out;
  out["transactions"] = report.latencies_us.size();
  out["warm_up_transactions"] = report.warm_up_transactions;
  out["seconds"] = report.seconds;
  out["tx_per_second"] = transactions / report.seconds;
  out["p50_us"] = percentile(report.latencies_us, 0.5);
  out["p99_us"] = percentile(report.latencies_us, 0.99);
  out["max_us"] = percentile(report.latencies_us, 1);
  out["server_cpu_us"] = report.server_cpu_us / transactions;
  out["client_cpu_us"] = report.client_cpu_us / transactions;
  if (report.device_bytes) {
    out["device_bytes"] = static_cast<double>(*report.device_bytes) / transactions;
  }
  out["queried"] = report.queried;
  return boost::json::serialize(out);
}

int run(const LoadOptions& options) {
  Load load(options);
  const Result<LoadReport> report = load.run();
  if (!report) {
    std::cerr << report.error().detail << '\n';
    return 1;
  }
  if (report->latencies_us.empty() || report->queried == 0) {
    std::cerr << "no saga ended in the measured time\n";
    return 1;
  }
  std::cout << to_json(*report) << '\n';
  return 0;
}

}  // namespace
}  // namespace concerto::bench

int main(int argc, char** argv) {
  using namespace concerto::bench;
  LoadOptions options;
  CLI::App app("Two-branch sagas with wait_result against a running coordinator");
  std::string wire = "grpc";
  app.add_option("--wire", wire, "how sagas are submitted and branches called")
      ->check(CLI::IsMember({"grpc", "http"}));
  app.add_option("--grpc-port", options.grpc_port, "of the coordinator")->required();
  app.add_option("--http-port", options.http_port, "of the coordinator")->required();
  app.add_option("--server-process", options.server_process, "its process id")->required();
  app.add_option("--in-flight", options.in_flight, "sagas at one time")->check(CLI::PositiveNumber);
  app.add_option("--rate", options.rate,
                 "sagas per second that begin at even times, however many are in flight");
  app.add_option("--warm-up", options.warm_up_seconds, "seconds before the measured ones");
  app.add_option("--seconds", options.seconds, "measured");
  app.add_option("--payload-bytes", options.payload_bytes, "of each branch");
  app.add_option("--data-directory", options.data_directory,
                 "of the coordinator: the writes of its device are counted");
  app.add_option("--gid-prefix", options.gid_prefix, "must be new to the coordinator");
  CLI11_PARSE(app, argc, argv);
  options.wire = wire == "grpc" ? Wire::grpc : Wire::http;
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
