#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include <boost/json/value.hpp>

namespace concerto::tools {

namespace json = boost::json;

/// How a verb shows its result: a table for people, or all of it for programs.
enum class Form : std::uint8_t { table, json, yaml };

/// Writes a value as a document. `form` is json or yaml. Texts stay what they are for a reader of
/// the format; characters that a terminal would obey are written as their numbers.
void write_document(std::ostream& out, Form form, const json::value& value);

/// Writes a sequence of values as one document, each value when it is there.
class DocumentSequence {
 public:
  /// `form` is json or yaml.
  DocumentSequence(std::ostream& out, Form form) : out_(out), form_(form) {}

  void add(const json::value& value);
  /// Ends the document. Call it once, in any case.
  void end();

 private:
  std::ostream& out_;
  const Form form_;
  bool is_empty_ = true;
};

/// The value as JSON in one line, without its end.
std::string json_line(const json::value& value);

}  // namespace concerto::tools
