#include "real_etcd.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <signal.h>
#include <stdexcept>
#include <tuple>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace concerto::net::test {
namespace {

namespace asio = boost::asio;
using Acceptor = asio::ip::tcp::acceptor;

/// Two different ports that are free at this moment.
std::pair<std::uint16_t, std::uint16_t> free_ports() {
  asio::io_context io;
  const asio::ip::tcp::endpoint any{asio::ip::address_v4::loopback(), 0};
  const Acceptor one{io, any}, two{io, any};
  return {one.local_endpoint().port(), two.local_endpoint().port()};
}

std::filesystem::path new_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "concerto-etcd-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
  return name;
}

std::string url(std::uint16_t port, const char* scheme = "http") {
  return scheme + std::string("://127.0.0.1:") + std::to_string(port);
}

/// In the child, between fork and exec.
[[noreturn]] void become(std::vector<std::string>& command, const std::string& log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int output = ::open(log.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

}  // namespace

bool RealEtcd::installed() {
  const char* const path = std::getenv("PATH");
  std::string rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    const std::string directory = rest.substr(0, rest.find(':'));
    rest.erase(0, directory.size() + 1);
    if (::access((directory + "/etcd").c_str(), X_OK) == 0) return true;
  }
  return false;
}

RealEtcd::RealEtcd(std::optional<Tls> tls) : tls_(std::move(tls)), directory_(new_directory()) {
  std::tie(port_, peer_port_) = free_ports();
  start();
}

RealEtcd::~RealEtcd() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void RealEtcd::start() {
  const std::string client_url = url(port_, tls_ ? "https" : "http");
  std::vector<std::string> command{"etcd",
                                   "--name=one",
                                   "--data-dir=" + (directory_ / "data").string(),
                                   "--listen-client-urls=" + client_url,
                                   "--advertise-client-urls=" + client_url,
                                   "--listen-peer-urls=" + url(peer_port_),
                                   "--initial-advertise-peer-urls=" + url(peer_port_),
                                   "--initial-cluster=one=" + url(peer_port_)};
  if (tls_) {
    command.insert(command.end(), {"--cert-file=" + tls_->certificate, "--key-file=" + tls_->key,
                                   "--trusted-ca-file=" + tls_->client_ca, "--client-cert-auth"});
  }
  const std::string log = directory_ / "log";
  process_ = ::fork();
  if (process_ < 0) throw std::runtime_error("fork");
  if (process_ == 0) become(command, log);
}

void RealEtcd::kill() {
  if (process_ < 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(std::exchange(process_, -1), nullptr, 0);
}

void RealEtcd::lose_data() {
  std::filesystem::remove_all(directory_ / "data");
}

}  // namespace concerto::net::test
