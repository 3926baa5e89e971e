#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>

struct redisReader;
struct redisReply;

namespace concerto::persist {

/// Appends a command to `out` as Redis reads it: an array of texts.
void append_command(std::string& out, std::initializer_list<std::string_view> words);

/// A command that is put together word by word, when the number of words is known before.
class CommandWriter {
 public:
  explicit CommandWriter(std::size_t words);
  CommandWriter& add(std::string_view word);
  CommandWriter& add(std::int64_t number);
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// An answer of Redis, or a part of one. Views into it live as long as the ReplyPtr does.
class Reply {
 public:
  Reply() = default;
  explicit Reply(const redisReply* reply) noexcept : reply_(reply) {}

  bool is_error() const noexcept;
  bool is_nil() const noexcept;
  bool is_array() const noexcept;
  /// A text, a status, or the text of an error; empty for other kinds.
  std::string_view text() const noexcept;
  /// An integer, or a text that is one.
  std::optional<std::int64_t> number() const noexcept;
  /// Elements of an array; an element that does not exist is nil.
  std::size_t size() const noexcept;
  Reply operator[](std::size_t index) const noexcept;

 private:
  const redisReply* reply_ = nullptr;
};

struct FreeReply {
  void operator()(redisReply* reply) const noexcept;
};
using ReplyPtr = std::unique_ptr<redisReply, FreeReply>;

/// Reads answers out of a stream of bytes.
class ReplyReader {
 public:
  ReplyReader();
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  /// Takes bytes that came from the server. Error invalid_request: they are not Redis's protocol.
  Result<> feed(std::string_view bytes);
  /// The next answer; null if it is not complete yet. The same error.
  Result<ReplyPtr> next();

 private:
  redisReader* reader_;
};

}  // namespace concerto::persist
