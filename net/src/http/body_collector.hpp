#pragma once

#include <memory>
#include <string>

#include "message_parser.hpp"

namespace concerto::net {

/// Collects the body of a response, unpacks gzip, and stops at a limit, so that neither a large
/// nor an explosive body takes more memory than that.
class BodyCollector final : public BodySink {
 public:
  explicit BodyCollector(std::size_t bytes_max);
  ~BodyCollector() override;

  void begin(const HttpHeaders& headers) override;
  error_code write(std::string_view bytes) override;

  /// The limit was reached and the rest is not read.
  bool truncated() const noexcept { return truncated_; }
  /// False when the packed data ended too early.
  bool is_whole() const noexcept;
  std::string take() { return std::move(body_); }

 private:
  class Inflater;

  error_code inflate(std::string_view bytes);
  bool append(std::string_view bytes);

  std::size_t bytes_max_;
  std::string body_;
  std::unique_ptr<Inflater> inflater_;
  bool truncated_ = false;
};

}  // namespace concerto::net
