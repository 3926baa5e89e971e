#include <optional>
#include <set>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <concerto/transport/grpc_reflection.hpp>

#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"

namespace concerto::net {
namespace {

namespace pb = google::protobuf;

const pb::DescriptorPool& pool() {
  return *pb::DescriptorPool::generated_pool();
}

/// Appends a file and the files it imports. Each is sent once per stream, because the client keeps
/// it.
template <class Files>
void add_with_imports(const pb::FileDescriptor& file, std::set<std::string>& sent, Files& out) {
  if (!sent.insert(file.name()).second) return;
  pb::FileDescriptorProto proto;
  file.CopyTo(&proto);
  *out.Add() = proto.SerializeAsString();
  for (int i = 0; i < file.dependency_count(); ++i) {
    add_with_imports(*file.dependency(i), sent, out);
  }
}

/// The answers of one stream.
template <class Request, class Response>
class ReflectionAnswers {
 public:
  explicit ReflectionAnswers(const std::vector<std::string>& services) : services_(services) {}

  Response answer(const Request& request) {
    Response response;
    response.set_valid_host(request.host());
    *response.mutable_original_request() = request;
    switch (request.message_request_case()) {
      case Request::kListServices:
        for (const auto& name : services_) {
          response.mutable_list_services_response()->add_service()->set_name(name);
        }
        break;
      case Request::kFileByFilename:
        add_file(pool().FindFileByName(request.file_by_filename()), request.file_by_filename(),
                 response);
        break;
      case Request::kFileContainingSymbol:
        add_file(pool().FindFileContainingSymbol(request.file_containing_symbol()),
                 request.file_containing_symbol(), response);
        break;
      case Request::kFileContainingExtension:
        add_extension_file(request, response);
        break;
      case Request::kAllExtensionNumbersOfType:
        add_extension_numbers(request.all_extension_numbers_of_type(), response);
        break;
      default:
        set_error(GrpcCode::invalid_argument, "empty request", response);
    }
    return response;
  }

 private:
  void add_file(const pb::FileDescriptor* file, const std::string& wanted, Response& response) {
    if (!file) return set_error(GrpcCode::not_found, "not found: " + wanted, response);
    // A file that was sent before is still the answer to a request for it.
    sent_.erase(file->name());
    auto& files = *response.mutable_file_descriptor_response()->mutable_file_descriptor_proto();
    add_with_imports(*file, sent_, files);
  }

  void add_extension_file(const Request& request, Response& response) {
    const auto& wanted = request.file_containing_extension();
    const pb::Descriptor* type = pool().FindMessageTypeByName(wanted.containing_type());
    const pb::FieldDescriptor* field =
        type ? pool().FindExtensionByNumber(type, wanted.extension_number()) : nullptr;
    add_file(field ? field->file() : nullptr,
             wanted.containing_type() + " extension " + std::to_string(wanted.extension_number()),
             response);
  }

  void add_extension_numbers(const std::string& type_name, Response& response) {
    const pb::Descriptor* type = pool().FindMessageTypeByName(type_name);
    if (!type) return set_error(GrpcCode::not_found, "not found: " + type_name, response);
    std::vector<const pb::FieldDescriptor*> fields;
    pool().FindAllExtensions(type, &fields);
    auto& numbers = *response.mutable_all_extension_numbers_response();
    numbers.set_base_type_name(type_name);
    for (const auto* field : fields) numbers.add_extension_number(field->number());
  }

  static void set_error(GrpcCode code, const std::string& text, Response& response) {
    response.mutable_error_response()->set_error_code(static_cast<int>(code));
    response.mutable_error_response()->set_error_message(text);
  }

  const std::vector<std::string>& services_;
  std::set<std::string> sent_;
};

}  // namespace

GrpcReflection::GrpcReflection(std::vector<std::string> services)
    : services_(std::move(services)) {}

void GrpcReflection::register_on(GrpcServer& server, Guard guard) {
  guard_ = std::move(guard);
  namespace v1 = grpc::reflection::v1;
  namespace v1alpha = grpc::reflection::v1alpha;
  server.add_stream(
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      [this](GrpcServerStream& stream) {
        return serve<v1::ServerReflectionRequest, v1::ServerReflectionResponse>(stream);
      },
      StreamKind::standing);
  server.add_stream(
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
      [this](GrpcServerStream& stream) {
        return serve<v1alpha::ServerReflectionRequest, v1alpha::ServerReflectionResponse>(stream);
      },
      StreamKind::standing);
}

template <class Request, class Response>
Task<GrpcStatus> GrpcReflection::serve(GrpcServerStream& stream) {
  if (guard_) {
    if (auto refusal = guard_(stream)) co_return std::move(*refusal);
  }
  ReflectionAnswers<Request, Response> answers(services_);
  while (const std::optional<std::string> message = co_await stream.read()) {
    Request request;
    if (!request.ParseFromString(*message)) {
      co_return GrpcStatus{GrpcCode::internal, "malformed ServerReflectionRequest"};
    }
    std::string reply = answers.answer(request).SerializeAsString();
    if (!co_await stream.write(std::move(reply))) break;
  }
  co_return GrpcStatus{};
}

}  // namespace concerto::net
