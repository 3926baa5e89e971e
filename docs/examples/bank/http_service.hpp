#pragma once

#include <memory>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/task_group.hpp>

#include "bank.hpp"

/// Serves the branches of a bank over HTTP, in a thread of its own. The path of a request is the
/// account and its body the amount.
class HttpService {
 public:
  /// On a free port.
  explicit HttpService(std::unique_ptr<Bank> bank);
  ~HttpService();

  std::string url() const;

 private:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  using Socket = boost::asio::ip::tcp::socket;

  concerto::Result<> handle(const Request& request);
  concerto::Task<void> serve(Socket socket);
  concerto::Task<void> accept();

  std::unique_ptr<Bank> bank_;
  boost::asio::io_context io_{1};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::thread thread_;
  concerto::TaskGroup tasks_{io_.get_executor()};  ///< ends them when the service is destroyed
};
