# What every target of this project compiles with. Linked privately, so that users of the installed
# package keep their own warnings.

if(CONCERTO_SANITIZE)
  add_compile_options(-fsanitize=${CONCERTO_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CONCERTO_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # Its check of types at run time needs a descriptor, and fails in tests that take all of them.
    add_compile_options(-fno-sanitize=vptr)
  endif()
endif()

# What tools/packaging/check_programs.py expects. The linker's part costs a little at the start of a
# program and nothing later; the compiler's part costs instructions at run time and is an option.
option(CONCERTO_HARDEN "Compile with stack protector, FORTIFY and CET" OFF)
if(PROJECT_IS_TOP_LEVEL AND NOT CONCERTO_SANITIZE)
  add_link_options(LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
  if(CONCERTO_HARDEN)
    add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection
                        $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  endif()
endif()

add_library(concerto_warnings INTERFACE)
target_compile_options(concerto_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Which lock guards what: <concerto/base/thread_annotations.hpp>.
  target_compile_options(concerto_warnings INTERFACE -Wthread-safety)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(
    concerto_warnings
    INTERFACE
      # GCC 12 reports objects inside coroutine frames and inlined std::string as uninitialised or
      # overrun; Clang and the sanitizers cover these.
      -Wno-maybe-uninitialized
      -Wno-restrict
      # GCC inlines one of the two functions with which Asio allocates and frees coroutine frames,
      # and then warns that the two do not match.
      -Wno-mismatched-new-delete)
  if(CONCERTO_SANITIZE STREQUAL "thread")
    # ThreadSanitizer does not see fences. Asio's fences are not on a path that two threads share.
    target_compile_options(concerto_warnings INTERFACE -Wno-tsan)
  endif()
endif()

# The sources of a group are included in one file. So GCC takes them for headers, and a name may
# hide a name of another source.
add_library(concerto_unity_warnings INTERFACE)
target_compile_options(
  concerto_unity_warnings
  INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage> -Wno-shadow)

# concerto_unity(<target> <kind> [ALONE <files>]): compiles the target's sources in groups if
# CONCERTO_UNITY says so for its kind, tests or all. Private names of sources in one group must
# differ. The sources after ALONE share names with others and stay apart.
function(concerto_unity target kind)
  cmake_parse_arguments(arg "" "" "ALONE" ${ARGN})
  if(CONCERTO_UNITY STREQUAL "all" OR CONCERTO_UNITY STREQUAL kind)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:concerto_unity_warnings>)
    set_source_files_properties(${arg_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# concerto_room_target(<target>): the settings of a target whose objects are in a room's library.
# With BUILD_SHARED_LIBS only what <concerto/base/export.hpp> marks is visible outside of it.
set(concerto_visible_boost ${CMAKE_CURRENT_LIST_DIR}/visible_boost.hpp)
function(concerto_room_target target)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  if(BUILD_SHARED_LIBS)
    set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden)
    target_compile_definitions(${target} PUBLIC CONCERTO_SHARED)
    target_compile_options(${target} PRIVATE -include ${concerto_visible_boost})
  endif()
endfunction()

# concerto_library(<room> [DEPENDS <targets>] [PRIVATE_DEPENDS <targets>]): a room's library with
# its alias, its installed headers and the project's compile options. The installed headers include
# those of DEPENDS alone.
function(concerto_library room)
  cmake_parse_arguments(arg "" "" "DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  set(target concerto_${room})
  add_library(${target})
  add_library(concerto::${room} ALIAS ${target})
  concerto_room_target(${target})
  # Before 1.0 a minor version may change the interface.
  set_target_properties(
    ${target} PROPERTIES EXPORT_NAME ${room} VERSION ${Concerto_VERSION}
                         SOVERSION ${Concerto_VERSION_MAJOR}.${Concerto_VERSION_MINOR})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(
    ${target} PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
                     $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
              PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  target_link_libraries(${target} PUBLIC ${arg_DEPENDS}
                                  PRIVATE ${arg_PRIVATE_DEPENDS}
                                          $<BUILD_INTERFACE:concerto_warnings>)
endfunction()
