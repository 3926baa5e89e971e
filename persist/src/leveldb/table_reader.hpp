#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <leveldb/env.h>

#include <concerto/base/error.hpp>

namespace concerto::persist {

/// Maps `size` bytes of an open file for reading; null when the system refuses.
using MapFile = void* (*)(int fd, std::size_t size);
void* map_file(int fd, std::size_t size);

/// Opens a table, which nobody changes, to be read by any thread. It is read as memory: that holds
/// no descriptor, so that the number of a store's descriptors does not depend on how many tables
/// it has. While the system has no memory to map one, that table keeps a descriptor instead.
/// Errors: store_failed; no descriptor (see DescriptorReserve).
Result<std::unique_ptr<leveldb::RandomAccessFile>> open_table(const std::string& path,
                                                              MapFile map = map_file);

}  // namespace concerto::persist
