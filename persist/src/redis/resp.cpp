#include "resp.hpp"

#include <charconv>
#include <new>

#include <hiredis/hiredis.h>

namespace concerto::persist {
namespace {

void append_length(std::string& out, char kind, std::size_t length) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, length).ptr;
  out += kind;
  out.append(digits, end);
  out += "\r\n";
}

void append_word(std::string& out, std::string_view word) {
  append_length(out, '$', word.size());
  out += word;
  out += "\r\n";
}

}  // namespace

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
  append_length(out, '*', words.size());
  for (const std::string_view word : words) append_word(out, word);
}

CommandWriter::CommandWriter(std::size_t words) {
  append_length(text_, '*', words);
}

CommandWriter& CommandWriter::add(std::string_view word) {
  append_word(text_, word);
  return *this;
}

CommandWriter& CommandWriter::add(std::int64_t number) {
  append_word(text_, std::to_string(number));
  return *this;
}

bool Reply::is_error() const noexcept {
  return reply_ != nullptr && reply_->type == REDIS_REPLY_ERROR;
}

bool Reply::is_nil() const noexcept {
  return reply_ == nullptr || reply_->type == REDIS_REPLY_NIL;
}

bool Reply::is_array() const noexcept {
  return reply_ != nullptr && reply_->type == REDIS_REPLY_ARRAY;
}

std::string_view Reply::text() const noexcept {
  if (reply_ == nullptr || reply_->str == nullptr) return {};
  return {reply_->str, reply_->len};
}

std::optional<std::int64_t> Reply::number() const noexcept {
  if (reply_ == nullptr) return std::nullopt;
  if (reply_->type == REDIS_REPLY_INTEGER) return reply_->integer;
  const std::string_view digits = text();
  std::int64_t value = 0;
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc{} || rest != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return value;
}

std::size_t Reply::size() const noexcept {
  return is_array() ? reply_->elements : 0;
}

Reply Reply::operator[](std::size_t index) const noexcept {
  return index < size() ? Reply{reply_->element[index]} : Reply{};
}

void FreeReply::operator()(redisReply* reply) const noexcept {
  freeReplyObject(reply);
}

ReplyReader::ReplyReader() : reader_(redisReaderCreate()) {
  if (reader_ == nullptr) throw std::bad_alloc();
}

ReplyReader::~ReplyReader() {
  redisReaderFree(reader_);
}

Result<> ReplyReader::feed(std::string_view bytes) {
  if (redisReaderFeed(reader_, bytes.data(), bytes.size()) == REDIS_OK) return ok();
  return make_error(Errc::invalid_request, reader_->errstr);
}

Result<ReplyPtr> ReplyReader::next() {
  void* reply = nullptr;
  if (redisReaderGetReply(reader_, &reply) != REDIS_OK) {
    return make_error(Errc::invalid_request, reader_->errstr);
  }
  return ReplyPtr(static_cast<redisReply*>(reply));
}

}  // namespace concerto::persist
