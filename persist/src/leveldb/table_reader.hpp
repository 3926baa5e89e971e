#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <leveldb/env.h>

#include <concerto/base/error.hpp>

namespace concerto::persist {

/// Maps `size` bytes of an open file for reading. Null if the system refuses.
using MapFile = void* (*)(int fd, std::size_t size);
void* map_file(int fd, std::size_t size);

/// Opens a table, which nobody changes any more, to be read by any thread. The table is mapped into
/// memory and holds no descriptor, so that the number of a store's descriptors does not depend on
/// the number of its tables. If the system has no memory to map a table, the table keeps a
/// descriptor instead. Errors: store_failed; no descriptor (see DescriptorReserve).
Result<std::unique_ptr<leveldb::RandomAccessFile>> open_table(const std::string& path,
                                                              MapFile map = map_file);

}  // namespace concerto::persist
