# concerto_protobuf(<target> <names>): generates C++ from `proto/<name>.proto` beside the caller's
# CMakeLists.txt and compiles it into the target, which must be made in the same directory. The
# generated headers, private to the target, are in `generated/` of its build directory.
function(concerto_protobuf target)
  set(proto_dir ${CMAKE_CURRENT_SOURCE_DIR}/proto)
  set(generated_dir ${CMAKE_CURRENT_BINARY_DIR}/generated)
  file(MAKE_DIRECTORY ${generated_dir})
  list(TRANSFORM ARGN PREPEND ${proto_dir}/ OUTPUT_VARIABLE proto_files)
  list(TRANSFORM proto_files APPEND .proto)
  foreach(proto IN LISTS ARGN)
    set(generated ${generated_dir}/${proto}.pb.cc ${generated_dir}/${proto}.pb.h)
    add_custom_command(
      OUTPUT ${generated}
      COMMAND protobuf::protoc -I${proto_dir} --cpp_out=${generated_dir} ${proto}.proto
      DEPENDS ${proto_files}
      VERBATIM)
    # Generated code does not follow this project's warnings.
    set_source_files_properties(${generated_dir}/${proto}.pb.cc PROPERTIES COMPILE_OPTIONS -w)
    target_sources(${target} PRIVATE ${generated})
  endforeach()
  target_include_directories(${target} SYSTEM PRIVATE ${generated_dir})
  # The system's library is compiled without ThreadSanitizer. With it, protobuf's headers give maps
  # more members than the library knows, and a message with a map is destroyed wrongly.
  if(CONCERTO_SANITIZE STREQUAL "thread")
    target_compile_options(${target} PRIVATE -U__SANITIZE_THREAD__)
  endif()
endfunction()
